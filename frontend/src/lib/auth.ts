import { createContext, use, type ComponentType, type ReactNode } from 'react'

/** An organisation that the signed-in person belongs to, and what they are there. */
export interface Org {
  id: string
  name: string
  role: 'admin' | 'member'
}

export interface Person {
  id: string
  name: string
  email: string | null
}

/** Who is here. `org` is null until an organisation has been chosen. */
export type Session =
  | { status: 'loading' }
  | { status: 'unreachable' }
  | { status: 'signed-out'; ended: boolean }
  | { status: 'signed-in'; person: Person; org: Org | null }

export interface TokenOptions {
  /** Skip a remembered token: the service has just refused it. */
  fresh?: boolean
}

/**
 * All that the page knows about signing in. Clerk is one implementation, the sandbox's session
 * issuer another; a third needs these six and nothing else.
 */
export interface AuthAdapter {
  session: Session
  /** The organisations the person can switch to. */
  orgs: readonly Org[]
  /** A session token for one organisation; null when nobody is signed in any more. */
  getToken: (orgId: string | null, options?: TokenOptions) => Promise<string | null>
  switchOrg: (orgId: string) => Promise<void>
  /** Starts signing in; an issuer of sample people is told as whom. */
  signIn: (personId?: string) => Promise<void>
  signOut: () => Promise<void>
}

/** What a way of signing in brings: its adapter for all below it, and its first screen. */
export interface AuthModule {
  AuthProvider: ComponentType<{ children: ReactNode }>
  SignInScreen: ComponentType
}

export const AuthContext = createContext<AuthAdapter | null>(null)

export function useAuth(): AuthAdapter {
  const auth = use(AuthContext)
  if (!auth) throw new Error('useAuth needs an AuthContext above it')
  return auth
}

/** Clerk writes a role as `org:admin` in one place and `admin` in another. */
export function roleFrom(name: string | null | undefined): Org['role'] {
  return name === 'admin' || name === 'org:admin' ? 'admin' : 'member'
}
