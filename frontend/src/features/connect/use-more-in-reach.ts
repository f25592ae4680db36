import { useAction } from '@/api/use-action'
import { useXeroService } from '@/api/xero-service'

import { tenantsQuery } from './use-tenant-options'

/**
 * Asks Xero whether live grants reach an organisation that can be connected without a new
 * consent. A grant whose tenants cannot be listed counts as one that reaches nothing more.
 */
export function useMoreInReach() {
  const { api, queryClient } = useXeroService()
  return useAction({
    mutationFn: async (grantIds: readonly string[]) => {
      const lists = await Promise.allSettled(
        grantIds.map((grantId) =>
          queryClient.query({ ...tenantsQuery(api, grantId), staleTime: 0 }),
        ),
      )
      return lists.some(
        (list) =>
          list.status === 'fulfilled' &&
          list.value.tenants.some(({ availability }) => availability === 'available'),
      )
    },
  })
}
