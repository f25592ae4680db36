import { useMutation, useQueryClient } from '@tanstack/react-query'
import { toast } from 'sonner'

import { useApi } from '@/api/api-context'
import { answered } from '@/api/problem'
import { reload } from '@/api/reload'

import type { TenantChoice } from './tenant-choices'

/** Binds the chosen tenant to the organisation. */
export function useSelectTenant() {
  const api = useApi()
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async ({ grantId, tenantId }: TenantChoice) =>
      answered(
        await api.POST('/api/integrations/xero/tenants/select', { body: { grantId, tenantId } }),
      ),
    onSuccess: (_, { tenantName, availability }) =>
      toast.success(`${tenantName} ${availability === 'bound_here' ? 're' : ''}connected`),
    onSettled: () => void reload(queryClient),
  })
}
