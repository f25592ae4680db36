import { queryOptions, type QueryClient } from '@tanstack/react-query'

import type { Api } from './client'
import { unwrap } from './problem'
import type { Binding, BindingList } from './types'

export const BINDINGS_KEY = ['bindings'] as const
const REVOKED_BINDINGS_KEY = [...BINDINGS_KEY, 'revoked'] as const
const RETRY_INTERVAL = 15_000

/** Each organisation has its own cache, so the key has no org id. */
function listQuery<Selected>(api: Api, select: (list: BindingList) => Selected) {
  return queryOptions({
    queryKey: BINDINGS_KEY,
    queryFn: async ({ signal }) =>
      unwrap(await api.GET('/api/integrations/xero/bindings', { signal })),
    select,
    // After an outage of the service, the list recovers without a person.
    refetchInterval: ({ state }) => (state.status === 'error' ? RETRY_INTERVAL : false),
    refetchOnReconnect: 'always',
  })
}

const bindingsOf = ({ bindings }: BindingList) => bindings
const pendingOf = ({ pending }: BindingList) => pending

/** The organisation's bindings. */
export const bindingsQuery = (api: Api) => listQuery(api, bindingsOf)

/** The user's own newest consent from which nothing was chosen yet, or null. */
export const pendingConsentQuery = (api: Api) => listQuery(api, pendingOf)

/** The revoked bindings: the activity list needs their names. */
export function revokedBindingsQuery(api: Api) {
  return queryOptions({
    queryKey: REVOKED_BINDINGS_KEY,
    queryFn: async ({ signal }) => {
      const query = { status: 'revoked' } as const
      const answer = await api.GET('/api/integrations/xero/bindings', { params: { query }, signal })
      return unwrap(answer).bindings
    },
  })
}

/** Moves a binding to the revoked list in the cache, before the next response. */
export function markBindingRevoked(queryClient: QueryClient, forgotten: Binding): void {
  queryClient.setQueryData<BindingList>(
    BINDINGS_KEY,
    (list) => list && { ...list, bindings: list.bindings.filter(({ id }) => id !== forgotten.id) },
  )
  queryClient.setQueryData<Binding[]>(REVOKED_BINDINGS_KEY, (bindings) =>
    bindings ? [...bindings, { ...forgotten, status: 'revoked' }] : bindings,
  )
}
