import type { ReactNode } from 'react'

import { AuthContext, type AuthModule } from '@/lib/auth'

import { SandboxIssuer } from './sandbox-issuer'
import { SandboxSignIn } from './sandbox-sign-in'
import { useSandboxSession } from './use-sandbox-session'

/** Sign-in with the sandbox: sample people without passwords, for demos and tests. */
export function sandboxAuth(issuerAddress: string): AuthModule {
  const issuer = new SandboxIssuer(issuerAddress)
  return {
    AuthProvider: ({ children }: { children: ReactNode }) => (
      <AuthContext.Provider value={useSandboxSession(issuer)}>{children}</AuthContext.Provider>
    ),
    SignInScreen: () => <SandboxSignIn issuer={issuer} />,
  }
}
