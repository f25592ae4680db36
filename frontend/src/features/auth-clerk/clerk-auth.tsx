import { ClerkProvider } from '@clerk/react'
import type { ReactNode } from 'react'

import { Button } from '@/components/ui/button'
import { Centered } from '@/components/centered'
import { AuthContext, useAuth, type AuthModule } from '@/lib/auth'
import { useMessages } from '@/messages'

import { useClerkSession } from './use-clerk-session'

/** Sign-in with Clerk. Loaded only if the build has a publishable key. */
export function clerkAuth(publishableKey: string): AuthModule {
  return {
    AuthProvider: ({ children }) => (
      <ClerkProvider publishableKey={publishableKey} telemetry={false}>
        <ClerkSession>{children}</ClerkSession>
      </ClerkProvider>
    ),
    SignInScreen: ClerkSignIn,
  }
}

function ClerkSession({ children }: { children: ReactNode }) {
  return <AuthContext.Provider value={useClerkSession()}>{children}</AuthContext.Provider>
}

function ClerkSignIn() {
  const { signIn } = useAuth()
  const { signIn: texts } = useMessages()
  return (
    <Centered title={texts.signIn} description={texts.clerkHint}>
      <Button className="w-full" onClick={() => void signIn()}>
        {texts.signIn}
      </Button>
    </Centered>
  )
}
