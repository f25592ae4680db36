import type { UseMutationOptions } from '@tanstack/react-query'

import { invalidateOrgData } from './invalidate'
import { unwrap } from './problem'
import type { RefreshResult } from './types'
import { useAction } from './use-action'
import { useXeroService } from './xero-service'

/** Refreshes all of the organisation's tokens, and asks Xero which tenants they reach. */
export function useRefreshTokens(
  callbacks: Pick<UseMutationOptions<RefreshResult>, 'onSuccess' | 'onError'> = {},
) {
  const { api, queryClient } = useXeroService()
  return useAction({
    ...callbacks,
    mutationFn: async () =>
      unwrap(await api.POST('/api/integrations/xero/refresh', { body: { check: true } })),
    onSettled: () => void invalidateOrgData(queryClient),
  })
}
