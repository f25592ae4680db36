import { useAuth, useClerk, useOrganization, useOrganizationList, useUser } from '@clerk/react'
import { useEffect, useMemo, useState } from 'react'

import { roleFrom, type AuthAdapter, type Org, type Session } from '@/lib/auth'

/** Clerk's session as an `AuthAdapter`. */
export function useClerkSession(): AuthAdapter {
  const clerk = useClerk()
  const { getToken } = useAuth()
  const { setActive } = useOrganizationList()
  const session = useSteady(useSession())
  const orgs = useMemberships()

  return useMemo(
    () => ({
      session,
      orgs,
      getToken: async (orgId, { fresh = false } = {}) =>
        getToken({ skipCache: fresh, ...(orgId !== null && { organizationId: orgId }) }),
      switchOrg: async (orgId) => setActive?.({ organization: orgId }),
      // The page's own address, so that a consent that just came back is still there afterwards.
      signIn: async () =>
        clerk
          .redirectToSignIn({ signInForceRedirectUrl: window.location.href })
          .then(() => undefined),
      // A path that begins with two slashes would be an address of another host.
      signOut: async () =>
        clerk.signOut({ redirectUrl: window.location.pathname.replace(/^\/+/, '/') }),
    }),
    [session, orgs, getToken, setActive, clerk],
  )
}

function useSession(): Session {
  const clerk = useClerk()
  const { isLoaded, isSignedIn, orgId, orgRole, orgSlug } = useAuth()
  const { user } = useUser()
  const { organization } = useOrganization()
  // Seen once: whoever was signed in and no longer is has been signed out, not never in.
  const [wasIn, setWasIn] = useState(false)
  if (isSignedIn && !wasIn) setWasIn(true)

  if (clerk.status === 'error') return { status: 'unreachable' }
  if (!isLoaded) return { status: 'loading' }
  if (!isSignedIn || !user) return { status: 'signed-out', ended: wasIn }
  return {
    status: 'signed-in',
    person: {
      id: user.id,
      name: user.fullName ?? user.primaryEmailAddress?.emailAddress ?? 'You',
      email: user.primaryEmailAddress?.emailAddress ?? null,
    },
    org: orgId
      ? { id: orgId, name: organization?.name ?? orgSlug ?? orgId, role: roleFrom(orgRole) }
      : null,
  }
}

/**
 * Clerk reports "not loaded" again while it switches organisations. The page keeps what it
 * knew for that moment; it would else flicker, and be mounted anew.
 */
function useSteady(session: Session): Session {
  const key = JSON.stringify(session)
  const [known, setKnown] = useState({ key, session })
  if (key !== known.key && (session.status !== 'loading' || known.session.status === 'loading')) {
    setKnown({ key, session })
    return session
  }
  return known.session
}

/** Every organisation of the person; Clerk hands them out by the page. */
function useMemberships(): Org[] {
  const { userMemberships } = useOrganizationList({
    userMemberships: { infinite: true, pageSize: 100 },
  })
  const { data, hasNextPage, isFetching, fetchNext } = userMemberships
  useEffect(() => {
    if (hasNextPage && !isFetching) fetchNext()
  }, [hasNextPage, isFetching, fetchNext])
  return useMemo(
    () =>
      (data ?? []).map(({ organization, role }) => ({
        id: organization.id,
        name: organization.name,
        role: roleFrom(role),
      })),
    [data],
  )
}
