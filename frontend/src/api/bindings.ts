import { queryOptions, type QueryClient } from '@tanstack/react-query'

import type { Api } from './client'
import { answered } from './problem'
import type { Binding } from './types'

export const BINDINGS = ['bindings'] as const
const REVOKED = [...BINDINGS, 'revoked'] as const

/** The organisation's bindings. Its cache is the organisation's own, so the key need not say whose. */
export function bindingsQuery(api: Api) {
  return queryOptions({
    queryKey: BINDINGS,
    queryFn: async ({ signal }) =>
      answered(await api.GET('/api/integrations/xero/bindings', { signal })).bindings,
  })
}

/** The bindings that have ended: what happened to them is still told by name. */
export function revokedBindingsQuery(api: Api) {
  return queryOptions({
    queryKey: REVOKED,
    queryFn: async ({ signal }) => {
      const query = { status: 'revoked' } as const
      const answer = await api.GET('/api/integrations/xero/bindings', { params: { query }, signal })
      return answered(answer).bindings
    },
  })
}

/** Takes a binding out of the list at once, ahead of the server's next answer. */
export function forgetBinding(queryClient: QueryClient, forgotten: Binding): void {
  queryClient.setQueryData<Binding[]>(BINDINGS, (bindings) =>
    bindings?.filter(({ id }) => id !== forgotten.id),
  )
  queryClient.setQueryData<Binding[]>(REVOKED, (bindings) =>
    bindings ? [...bindings, { ...forgotten, status: 'revoked' }] : bindings,
  )
}
