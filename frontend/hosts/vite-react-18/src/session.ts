import { useSyncExternalStore } from 'react'

import { SandboxSession, USER_ID } from './sandbox-session'

const session = new SandboxSession(import.meta.env.VITE_SESSION_ISSUER)

/** The signed-in user's session. */
export function useSession() {
  const orgId = useSyncExternalStore(session.subscribe, session.orgId)
  return {
    orgId,
    userId: USER_ID,
    isAdmin: true,
    getToken: session.getToken,
    switchOrg: session.switchOrg,
  }
}
