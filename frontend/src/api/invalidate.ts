import type { QueryClient } from '@tanstack/react-query'

import { ACTIVITY } from './activity'
import { BINDINGS } from './bindings'

/**
 * Asks the server again for all that an action may have changed: the bindings, and the record of
 * what happened. An answer from before no longer counts.
 */
export async function reload(queryClient: QueryClient): Promise<void> {
  await Promise.all(
    [BINDINGS, ACTIVITY].map(async (queryKey) => {
      await queryClient.cancelQueries({ queryKey })
      await queryClient.invalidateQueries({ queryKey })
    }),
  )
}
