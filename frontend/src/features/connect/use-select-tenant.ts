import { useMutation, useQueryClient } from '@tanstack/react-query'
import { toast } from 'sonner'

import { useApi } from '@/api/api-context'
import { unwrap } from '@/api/problem'
import { invalidateOrgData } from '@/api/invalidate'

import type { TenantOption } from './use-tenant-options'

/** Binds the chosen tenant to the organisation. */
export function useSelectTenant() {
  const api = useApi()
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async ({ grantId, tenantId }: TenantOption) =>
      unwrap(
        await api.POST('/api/integrations/xero/tenants/select', { body: { grantId, tenantId } }),
      ),
    onSuccess: (_, { tenantName, availability }) =>
      toast.success(`${tenantName} ${availability === 'bound_here' ? 're' : ''}connected`),
    onSettled: () => void invalidateOrgData(queryClient),
  })
}
