import type { QueryClient } from '@tanstack/react-query'

import { ACTIVITY_KEY } from './activity'
import { BINDINGS_KEY } from './bindings'

/**
 * Refetches what an action may have changed: the bindings and the activity. Requests that were
 * sent before the action are cancelled, because their responses may be stale.
 */
export async function invalidateOrgData(queryClient: QueryClient): Promise<void> {
  await Promise.all(
    [BINDINGS_KEY, ACTIVITY_KEY].map(async (queryKey) => {
      await queryClient.cancelQueries({ queryKey })
      await queryClient.invalidateQueries({ queryKey })
    }),
  )
}
