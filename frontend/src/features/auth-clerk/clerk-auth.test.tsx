import * as clerk from '@clerk/react'
import { render, screen } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { beforeEach, expect, it, vi } from 'vitest'

import { useAuth, type AuthAdapter } from '@/lib/auth'
import { expectAccessible } from '@/testing/axe'

import { clerkAuth } from './clerk-auth'

interface World {
  status: string
  isLoaded: boolean
  isSignedIn: boolean
  orgId: string | null
  orgRole: string | null
  organizationName: string | null
}

/** Clerk, as far as the page can tell; each test changes what matters to it. */
const world = vi.hoisted(() => ({
  ...({
    status: 'ready',
    isLoaded: true,
    isSignedIn: true,
    orgId: 'org_1',
    orgRole: 'org:admin',
    organizationName: 'Acme',
  } as World),
  hasNextPage: false,
  fetchNext: vi.fn(),
  getToken: vi.fn(() => Promise.resolve('clerk-token')),
  setActive: vi.fn(() => Promise.resolve()),
  redirectToSignIn: vi.fn(() => Promise.resolve()),
  signOut: vi.fn(() => Promise.resolve()),
}))
const asLoaded = { ...world }

vi.mock('@clerk/react', () => {
  const memberships = [
    { organization: { id: 'org_1', name: 'Acme' }, role: 'org:admin' },
    { organization: { id: 'org_2', name: 'Globex' }, role: 'org:member' },
  ]
  const user = {
    id: 'user_1',
    fullName: 'Acme admin',
    primaryEmailAddress: { emailAddress: 'admin@acme.example.com' },
  }
  return {
    ClerkProvider: vi.fn(({ children }: { children: React.ReactNode }) => children),
    useClerk: () => world,
    useAuth: () => ({ ...world, orgSlug: 'acme' }),
    useUser: () => ({ user: world.isSignedIn ? user : null }),
    useOrganization: () => ({
      organization: world.organizationName === null ? null : { name: world.organizationName },
    }),
    useOrganizationList: () => ({
      setActive: world.setActive,
      userMemberships: {
        data: memberships,
        hasNextPage: world.hasNextPage,
        isFetching: false,
        fetchNext: world.fetchNext,
      },
    }),
  }
})

beforeEach(() => {
  Object.assign(world, asLoaded)
  vi.clearAllMocks()
})

function load() {
  const { AuthProvider, SignInScreen } = clerkAuth('pk_test_sample')
  const seen: { auth: AuthAdapter | null } = { auth: null }
  const Inside = () => {
    seen.auth = useAuth()
    return seen.auth.session.status === 'signed-out' ? <SignInScreen /> : null
  }
  const page = () => (
    <AuthProvider>
      <Inside />
    </AuthProvider>
  )
  const { rerender } = render(page())
  const auth = () => {
    if (!seen.auth) throw new Error('nothing rendered yet')
    return seen.auth
  }
  return { auth, again: () => rerender(page()) }
}

it('starts Clerk with the key, and without telemetry', () => {
  load()

  expect(vi.mocked(clerk.ClerkProvider).mock.calls[0]?.[0]).toMatchObject({
    publishableKey: 'pk_test_sample',
    telemetry: false,
  })
})

it('knows the user, their organisation and their role in it', () => {
  const { auth } = load()

  expect(auth().session).toEqual({
    status: 'signed-in',
    user: { id: 'user_1', name: 'Acme admin', email: 'admin@acme.example.com' },
    org: { id: 'org_1', name: 'Acme', role: 'admin' },
  })
  expect(auth().orgs).toEqual([
    { id: 'org_1', name: 'Acme', role: 'admin' },
    { id: 'org_2', name: 'Globex', role: 'member' },
  ])
})

it.each([
  ['org:admin', 'admin'],
  ['admin', 'admin'],
  ['org:member', 'member'],
  ['org:bookkeeper', 'member'],
  [null, 'member'],
])('takes the role %s for %s', (orgRole, role) => {
  world.orgRole = orgRole
  const { session } = load().auth()

  expect(session.status === 'signed-in' && session.org?.role).toBe(role)
})

it('is in no organisation in a personal account', () => {
  world.orgId = null
  const { session } = load().auth()

  expect(session.status === 'signed-in' && session.org).toBeNull()
})

it('gets a token for the organisation that is asked for, fresh where it must be', async () => {
  const { auth } = load()

  expect(await auth().getToken('org_2')).toBe('clerk-token')
  await auth().getToken(null, { fresh: true })

  expect(world.getToken.mock.calls).toEqual([
    [{ skipCache: false, organizationId: 'org_2' }],
    [{ skipCache: true }],
  ])
})

it('switches the organisation', async () => {
  await load().auth().switchOrg('org_2')

  expect(world.setActive).toHaveBeenCalledExactlyOnceWith({ organization: 'org_2' })
})

it('keeps the page up while Clerk is busy switching', () => {
  const { auth, again } = load()
  const before = auth().session

  Object.assign(world, { isLoaded: false, orgId: undefined, organizationName: null })
  again()
  expect(auth().session).toBe(before)

  Object.assign(world, { isLoaded: true, orgId: 'org_2', organizationName: 'Globex' })
  again()
  expect(auth().session).toMatchObject({ org: { id: 'org_2', name: 'Globex' } })
})

it('is loading until Clerk is, and unreachable when Clerk cannot be', () => {
  world.isLoaded = false
  const { auth, again } = load()
  expect(auth().session).toEqual({ status: 'loading' })

  world.status = 'error'
  again()
  expect(auth().session).toEqual({ status: 'unreachable' })
})

it('signs in at Clerk and comes back to this very address', async () => {
  world.isSignedIn = false
  const { auth } = load()
  expect(auth().session).toEqual({ status: 'signed-out', ended: false })
  await expectAccessible()

  await userEvent.click(screen.getByRole('button', { name: 'Sign in' }))

  expect(world.redirectToSignIn).toHaveBeenCalledExactlyOnceWith({
    signInForceRedirectUrl: window.location.href,
  })
})

it('tells an ended session from a user who never signed in', () => {
  const { auth, again } = load()

  world.isSignedIn = false
  again()

  expect(auth().session).toEqual({ status: 'signed-out', ended: true })
})

it.each([
  ['/settings/integrations', '/settings/integrations'],
  ['//evil.example.com/page', '/evil.example.com/page'],
  ['/\\/evil.example.com', '/evil.example.com'],
])('signs out at %s and stays on this host', async (address, stays) => {
  const before = window.location.href
  window.history.replaceState(null, '', window.location.origin + address)

  await load().auth().signOut()

  window.history.replaceState(null, '', before)
  expect(world.signOut).toHaveBeenCalledExactlyOnceWith({ redirectUrl: stays })
})

it('fetches every page of a long list of organisations', () => {
  world.hasNextPage = true
  load()

  expect(world.fetchNext).toHaveBeenCalled()
})
