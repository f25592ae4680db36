import { Component, Suspense, use, useState, type ReactNode } from 'react'

import { Button } from '@/components/button'
import { Centered } from '@/components/centered'
import { Toaster } from '@/components/toaster'
import type { AuthModule } from '@/lib/auth'

import { loadAuth } from './load-auth'
import { Layout, LoadingPage } from './layout'
import { SETTINGS } from './paths'
import { Shell } from './shell'

export function App() {
  return (
    <ErrorBoundary>
      {currentPath() === SETTINGS ? <SignedInPage /> : <NotFound />}
      <Toaster />
    </ErrorBoundary>
  )
}

/** Returns the path of the URL. `/` is replaced by the page's: there is one page, and no router. */
function currentPath(): string {
  if (window.location.pathname === '/') window.history.replaceState(null, '', SETTINGS)
  return window.location.pathname
}

function SignedInPage() {
  const [auth] = useState(loadAuth)
  return (
    <Suspense fallback={<LoadingPage />}>
      <WithAuth auth={auth} />
    </Suspense>
  )
}

function WithAuth({ auth }: { auth: Promise<AuthModule | null> }) {
  const authModule = use(auth)
  if (!authModule) return <NotConfigured />
  return (
    <authModule.AuthProvider>
      <Shell SignInScreen={authModule.SignInScreen} />
    </authModule.AuthProvider>
  )
}

function NotConfigured() {
  return (
    <Layout>
      <Centered
        title="Sign-in is not configured"
        description="No identity provider is configured for this page."
      >
        <p className="text-sm text-pretty text-muted-foreground">
          Build it with <Code>VITE_CLERK_PUBLISHABLE_KEY</Code> for Clerk, or serve a{' '}
          <Code>/sandbox.json</Code> beside it that names the sandbox&apos;s session issuer.
        </p>
      </Centered>
    </Layout>
  )
}

function Code({ children }: { children: ReactNode }) {
  return <code className="font-mono text-xs text-foreground">{children}</code>
}

function NotFound() {
  return (
    <Layout>
      <Centered title="Page not found" description="There is no page at this address.">
        <a className="text-sm font-medium underline underline-offset-4" href={SETTINGS}>
          Go to integrations
        </a>
      </Centered>
    </Layout>
  )
}

/** Shows a message and a reload button when rendering throws. */
class ErrorBoundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false }

  static getDerivedStateFromError() {
    return { broken: true }
  }

  override render() {
    if (!this.state.broken) return this.props.children
    return (
      <Centered title="This page broke" description="Reload it to continue.">
        <Button variant="primary" onClick={() => window.location.reload()}>
          Reload
        </Button>
      </Centered>
    )
  }
}
