import { markBindingRevoked } from './bindings'
import { invalidateOrgData } from './invalidate'
import { unwrap } from './problem'
import type { Binding, DisconnectResult } from './types'
import { useAction } from './use-action'
import { useXeroService } from './xero-service'

/** Disconnects a binding; `onDone` runs after the cache has it as revoked. */
export function useDisconnect(onDone?: (result: DisconnectResult, binding: Binding) => void) {
  const { api, queryClient } = useXeroService()
  return useAction({
    mutationFn: async (binding: Binding) =>
      unwrap(
        await api.POST('/api/integrations/xero/disconnect', {
          body: { tenantBindingId: binding.id },
        }),
      ),
    onSuccess: (result, binding) => {
      markBindingRevoked(queryClient, binding)
      onDone?.(result, binding)
    },
    onSettled: () => void invalidateOrgData(queryClient),
  })
}
