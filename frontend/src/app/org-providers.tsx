import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { useMemo, type ReactNode } from 'react'
import { useNavigate } from 'react-router'

import { ApiContext } from '@/api/api-context'
import { API_URL, createApi } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import { reload } from '@/api/reload'
import { XeroTokenRefresher } from '@/features/xero-token-refresher'
import { useAuth, type Org } from '@/lib/auth'

import { SETTINGS } from './paths'

/**
 * All that belongs to one organisation: a client that speaks for it and a cache of its own.
 * A switch gets new ones of both, so nothing of one organisation is ever shown in another.
 */
export function OrgScope({ org, children }: { org: Org; children: ReactNode }) {
  const { getToken } = useAuth()
  const navigate = useNavigate()
  const orgId = org.id
  const cache = useMemo(() => ({ orgId, queryClient: createQueryClient() }), [orgId])
  const api = useMemo(() => createApi(getToken, orgId), [getToken, orgId])
  return (
    <QueryClientProvider client={cache.queryClient}>
      <ApiContext value={api}>
        <XeroTokenRefresher
          auth={{ isSignedIn: true, orgId, getToken }}
          apiUrl={API_URL}
          settingsUrl={SETTINGS}
          onOpenSettings={() => void navigate(SETTINGS)}
          onOutcome={() => void reload(cache.queryClient)}
        />
        {children}
      </ApiContext>
    </QueryClientProvider>
  )
}

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      // Offline, a request fails and says so; it does not wait in silence.
      mutations: { networkMode: 'always' },
      queries: {
        networkMode: 'always',
        staleTime: 5_000,
        // Only what time can mend is tried again.
        retry: (failures, error) =>
          failures < 2 &&
          error instanceof ApiProblem &&
          (error.status === 0 || error.status >= 500),
      },
    },
  })
}
