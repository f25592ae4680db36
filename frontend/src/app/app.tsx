import { Component, Suspense, use, useState, type ReactNode } from 'react'
import { BrowserRouter, Navigate, Route, Routes } from 'react-router'

import { Button } from '@/components/button'
import { Centered } from '@/components/centered'
import { Toaster } from '@/components/toaster'
import type { AuthModule } from '@/lib/auth'

import { findAuth } from './find-auth'
import { Frame, LoadingPage } from './frame'
import { SETTINGS } from './paths'
import { Shell } from './shell'

export function App() {
  return (
    <Mishap>
      <BrowserRouter>
        <Routes>
          <Route path="/" element={<Navigate to={SETTINGS} replace />} />
          <Route path={SETTINGS} element={<SignedInPage />} />
          <Route path="*" element={<NotFound />} />
        </Routes>
      </BrowserRouter>
      <Toaster />
    </Mishap>
  )
}

function SignedInPage() {
  const [auth] = useState(findAuth)
  return (
    <Suspense fallback={<LoadingPage />}>
      <WithAuth auth={auth} />
    </Suspense>
  )
}

function WithAuth({ auth }: { auth: Promise<AuthModule | null> }) {
  const found = use(auth)
  if (!found) return <NotConfigured />
  return (
    <found.AuthProvider>
      <Shell SignInScreen={found.SignInScreen} />
    </found.AuthProvider>
  )
}

function NotConfigured() {
  return (
    <Frame>
      <Centered
        title="Sign-in is not configured"
        description="This page does not know how people sign in."
      >
        <p className="text-sm text-pretty text-muted-foreground">
          Whoever runs it can build it with <Code>VITE_CLERK_PUBLISHABLE_KEY</Code> for Clerk, or
          serve a <Code>/sandbox.json</Code> beside it that names the sandbox&apos;s session issuer.
        </p>
      </Centered>
    </Frame>
  )
}

function Code({ children }: { children: ReactNode }) {
  return <code className="font-mono text-xs text-foreground">{children}</code>
}

function NotFound() {
  return (
    <Frame>
      <Centered title="Nothing here" description="This address leads nowhere.">
        <a className="text-sm font-medium underline underline-offset-4" href={SETTINGS}>
          Go to integrations
        </a>
      </Centered>
    </Frame>
  )
}

/** What is left when a part of the page breaks: words and a way out, never a white page. */
class Mishap extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false }

  static getDerivedStateFromError() {
    return { broken: true }
  }

  override render() {
    if (!this.state.broken) return this.props.children
    return (
      <Centered
        title="This page broke"
        description="Nothing was changed. Reloading usually mends it."
      >
        <Button variant="primary" onClick={() => window.location.reload()}>
          Reload
        </Button>
      </Centered>
    )
  }
}
