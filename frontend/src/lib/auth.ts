import { createContext, useContext, type ComponentType, type ReactNode } from 'react'

/** An organisation of the signed-in user, and the user's role in it. */
export interface Org {
  id: string
  name: string
  role: 'admin' | 'member'
}

export interface User {
  id: string
  name: string
  email: string | null
}

/** The session. `org` is null until the user has chosen an organisation. */
export type Session =
  | { status: 'loading' }
  | { status: 'unreachable' }
  | { status: 'signed-out'; ended: boolean }
  | { status: 'signed-in'; user: User; org: Org | null }

export interface TokenOptions {
  /** Skips the token cache, because the service has just refused the token. */
  fresh?: boolean
}

/** Returns a session token for one organisation; null if the session has ended. */
export type GetToken = (orgId: string, options?: TokenOptions) => Promise<string | null>

/**
 * Everything that the page needs of an identity provider. Clerk is one implementation, the
 * sandbox's session issuer another.
 */
export interface AuthAdapter {
  session: Session
  /** The organisations the user can switch to. */
  orgs: readonly Org[]
  /** Returns a session token for one organisation; null if the session has ended. */
  getToken: (orgId: string | null, options?: TokenOptions) => Promise<string | null>
  switchOrg: (orgId: string) => Promise<void>
  /** Starts signing in. Only the sandbox's issuer takes a user id. */
  signIn: (userId?: string) => Promise<void>
  signOut: () => Promise<void>
}

/** An auth implementation: the provider of its adapter, and its sign-in screen. */
export interface AuthModule {
  AuthProvider: ComponentType<{ children: ReactNode }>
  SignInScreen: ComponentType
}

export const AuthContext = createContext<AuthAdapter | null>(null)

export function useAuth(): AuthAdapter {
  const auth = useContext(AuthContext)
  if (!auth) throw new Error('useAuth needs an AuthContext above it')
  return auth
}

/** Clerk writes a role as `org:admin` in one place and `admin` in another. */
export function roleFrom(name: string | null | undefined): Org['role'] {
  return name === 'admin' || name === 'org:admin' ? 'admin' : 'member'
}
