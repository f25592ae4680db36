import { queryOptions, type QueryClient } from '@tanstack/react-query'

import type { Api } from './client'
import { unwrap } from './problem'
import type { Binding } from './types'

export const BINDINGS_KEY = ['bindings'] as const
const REVOKED_BINDINGS_KEY = [...BINDINGS_KEY, 'revoked'] as const

/** The organisation's bindings. Each organisation has its own cache, so the key has no org id. */
export function bindingsQuery(api: Api) {
  return queryOptions({
    queryKey: BINDINGS_KEY,
    queryFn: async ({ signal }) =>
      unwrap(await api.GET('/api/integrations/xero/bindings', { signal })).bindings,
  })
}

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
  queryClient.setQueryData<Binding[]>(BINDINGS_KEY, (bindings) =>
    bindings?.filter(({ id }) => id !== forgotten.id),
  )
  queryClient.setQueryData<Binding[]>(REVOKED_BINDINGS_KEY, (bindings) =>
    bindings ? [...bindings, { ...forgotten, status: 'revoked' }] : bindings,
  )
}
