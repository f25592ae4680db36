import { useEffect } from 'react'

import type { Binding } from '@/api/types'
import { useXeroService } from '@/api/xero-service'
import { useMessages } from '@/messages'

import type { CallbackResult } from './use-callback-result'

/** Says which binding a consent has reconnected, and how many others still need one. */
export function useReconnectedToast(
  { reconnectedId, clear }: CallbackResult,
  bindings: readonly Binding[] | undefined,
): void {
  const { showToast } = useXeroService()
  const messages = useMessages().connect.result
  useEffect(() => {
    if (reconnectedId === null || !bindings) return
    const binding = bindings.find(({ id }) => id === reconnectedId)
    const broken = bindings.filter(({ health }) => health.state === 'needs_reauth').length
    showToast({
      kind: 'success',
      id: 'xero-reconnected',
      title: binding ? messages.reconnected(binding.tenantName) : messages.xeroReconnected,
      ...(broken > 0 && { description: messages.stillBroken(broken) }),
    })
    clear()
  }, [reconnectedId, bindings, showToast, messages, clear])
}
