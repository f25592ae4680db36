import { useMutation } from '@tanstack/react-query'

import { useXeroService } from '@/api/xero-service'
import { unwrap } from '@/api/problem'
import { invalidateOrgData } from '@/api/invalidate'

import type { TenantOption } from './use-tenant-options'

/** Binds the chosen tenant to the organisation. */
export function useSelectTenant() {
  const { api, queryClient, showToast } = useXeroService()
  return useMutation(
    {
      mutationFn: async ({ grantId, tenantId }: TenantOption) =>
        unwrap(
          await api.POST('/api/integrations/xero/tenants/select', { body: { grantId, tenantId } }),
        ),
      onSuccess: (_, { tenantName, availability }) =>
        showToast({
          kind: 'success',
          title: `${tenantName} ${availability === 'bound_here' ? 're' : ''}connected`,
        }),
      onSettled: () => void invalidateOrgData(queryClient),
    },
    queryClient,
  )
}
