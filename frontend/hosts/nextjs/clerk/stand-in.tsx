'use client'

import { useState, useSyncExternalStore, type ReactNode } from 'react'

import { ORGS, SandboxSession, USER_ID } from './sandbox-session'

/** Has the names of `@clerk/nextjs` that the application uses; the sandbox's issuer signs in. */

const session = new SandboxSession(process.env.NEXT_PUBLIC_SESSION_ISSUER!)

// As with Clerk, nobody is signed in while the server renders.
const useOrgId = () => useSyncExternalStore(session.subscribe, session.orgId, () => undefined)

export function ClerkProvider({ children }: { children: ReactNode }) {
  return children
}

export function useAuth() {
  const orgId = useOrgId()
  return {
    orgId,
    orgRole: orgId && 'org:admin',
    userId: orgId && USER_ID,
    getToken: ({ organizationId }: { organizationId: string }) => session.getToken(organizationId),
  }
}

export function OrganizationSwitcher() {
  const orgId = useOrgId()
  const [clicks, setClicks] = useState(0)
  return (
    <header>
      <label>
        Organisation
        <select value={orgId} onChange={(event) => session.switchOrg(event.target.value)}>
          {ORGS.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button onClick={() => setClicks(clicks + 1)}>Rendered {clicks}</button>
    </header>
  )
}
