import { Component, Suspense, use, useState, type ReactNode } from 'react'

import { Button } from '@/components/ui/button'
import { Centered } from '@/components/centered'
import { Toaster } from '@/components/ui/sonner'
import type { AuthModule } from '@/lib/auth'
import { Message, useMessages } from '@/messages'

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
  const { app } = useMessages()
  return (
    <Layout>
      <Centered title={app.notConfigured} description={app.notConfiguredHint}>
        <p className="text-sm text-pretty text-muted-foreground">
          <Message
            text={app.notConfiguredSteps}
            values={{
              variable: <Code>VITE_CLERK_PUBLISHABLE_KEY</Code>,
              file: <Code>/sandbox.json</Code>,
            }}
          />
        </p>
      </Centered>
    </Layout>
  )
}

function Code({ children }: { children: ReactNode }) {
  return <code className="font-mono text-xs text-foreground">{children}</code>
}

function NotFound() {
  const { app } = useMessages()
  return (
    <Layout>
      <Centered title={app.notFound} description={app.notFoundHint}>
        <a className="text-sm font-medium underline underline-offset-4" href={SETTINGS}>
          {app.goToIntegrations}
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
    return <Broken />
  }
}

function Broken() {
  const { app } = useMessages()
  return (
    <Centered title={app.broken} description={app.brokenHint}>
      <Button onClick={() => window.location.reload()}>{app.reload}</Button>
    </Centered>
  )
}
