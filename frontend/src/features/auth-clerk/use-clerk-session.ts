import { useAuth, useClerk, useOrganization, useOrganizationList, useUser } from '@clerk/react'
import { useEffect, useMemo, useState } from 'react'

import { roleFrom, type AuthAdapter, type Org, type Session } from '@/lib/auth'
import { useMessages } from '@/messages'

/** Clerk's session as an `AuthAdapter`. */
export function useClerkSession(): AuthAdapter {
  const clerk = useClerk()
  const { getToken } = useAuth()
  const { setActive } = useOrganizationList()
  const session = useStableSession(useSession())
  const orgs = useMemberships()

  return useMemo(
    () => ({
      session,
      orgs,
      getToken: async (orgId, { fresh = false } = {}) =>
        getToken({ skipCache: fresh, ...(orgId !== null && { organizationId: orgId }) }),
      switchOrg: async (orgId) => setActive?.({ organization: orgId }),
      // Returns to the current URL, so that the result of a consent is not lost.
      signIn: async () =>
        clerk
          .redirectToSignIn({ signInForceRedirectUrl: window.location.href })
          .then(() => undefined),
      // A path that begins with two slashes would be a URL of another host.
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
  // Tells an ended session from a user who never signed in.
  const { signIn } = useMessages()
  const [wasSignedIn, setWasSignedIn] = useState(false)
  if (isSignedIn && !wasSignedIn) setWasSignedIn(true)

  if (clerk.status === 'error') return { status: 'unreachable' }
  if (!isLoaded) return { status: 'loading' }
  if (!isSignedIn || !user) return { status: 'signed-out', ended: wasSignedIn }
  return {
    status: 'signed-in',
    user: {
      id: user.id,
      name: user.fullName ?? user.primaryEmailAddress?.emailAddress ?? signIn.unnamedUser,
      email: user.primaryEmailAddress?.emailAddress ?? null,
    },
    org: orgId
      ? { id: orgId, name: organization?.name ?? orgSlug ?? orgId, role: roleFrom(orgRole) }
      : null,
  }
}

/**
 * Clerk reports "not loaded" again while it switches organisations. This keeps the last session
 * meanwhile; the page would otherwise flicker and remount.
 */
function useStableSession(session: Session): Session {
  const key = JSON.stringify(session)
  const [known, setKnown] = useState({ key, session })
  if (key !== known.key && (session.status !== 'loading' || known.session.status === 'loading')) {
    setKnown({ key, session })
    return session
  }
  return known.session
}

/** Returns every organisation of the user; Clerk returns them in pages. */
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
