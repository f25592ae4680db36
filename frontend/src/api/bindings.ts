import { queryOptions, type QueryClient } from '@tanstack/react-query'

import type { Api } from './client'
import { answered } from './problem'
import type { Binding } from './types'

const BINDINGS = ['bindings'] as const

/** The organisation's bindings. Its cache is the organisation's own, so the key need not say whose. */
export function bindingsQuery(api: Api) {
  return queryOptions({
    queryKey: BINDINGS,
    queryFn: async ({ signal }) =>
      answered(await api.GET('/api/integrations/xero/bindings', { signal })).bindings,
  })
}

/** Takes a binding out of the list at once, ahead of the server's next answer. */
export function forgetBinding(queryClient: QueryClient, bindingId: string): void {
  queryClient.setQueryData<Binding[]>(BINDINGS, (bindings) =>
    bindings?.filter((binding) => binding.id !== bindingId),
  )
}

/** Asks the server again for what it now has; an answer from before no longer counts. */
export async function reloadBindings(queryClient: QueryClient): Promise<void> {
  await queryClient.cancelQueries({ queryKey: BINDINGS })
  await queryClient.invalidateQueries({ queryKey: BINDINGS })
}
