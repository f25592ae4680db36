import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { useMemo, type ReactNode } from 'react'
import { useNavigate } from 'react-router'

import { ApiContext } from '@/api/api-context'
import { API_URL, createApi } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import { invalidateOrgData } from '@/api/invalidate'
import { XeroTokenRefresher } from '@/features/xero-token-refresher'
import { useAuth, type Org } from '@/lib/auth'

import { SETTINGS } from './paths'

/**
 * Provides the API client and the query cache of one organisation.
 * Switching creates new ones, so the page never shows one organisation's data in another.
 */
export function OrgProviders({ org, children }: { org: Org; children: ReactNode }) {
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
          onOutcome={() => void invalidateOrgData(cache.queryClient)}
        />
        {children}
      </ApiContext>
    </QueryClientProvider>
  )
}

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      // Offline requests fail at once, so that the page can show an error.
      mutations: { networkMode: 'always' },
      queries: {
        networkMode: 'always',
        staleTime: 5_000,
        // Retries only network errors and 5xx.
        retry: (failures, error) =>
          failures < 2 &&
          error instanceof ApiProblem &&
          (error.status === 0 || error.status >= 500),
      },
    },
  })
}
