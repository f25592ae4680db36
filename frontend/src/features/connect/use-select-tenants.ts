import { useEffect, useRef, useState } from 'react'

import { invalidateOrgData } from '@/api/invalidate'
import { toApiProblem, unwrap, type ApiProblem } from '@/api/problem'
import type { Binding } from '@/api/types'
import { useAction } from '@/api/use-action'
import { useProblemToast } from '@/api/use-problem-toast'
import { useXeroService } from '@/api/xero-service'
import { useMessages, type Messages } from '@/messages'

import { TENANTS_KEY, type TenantOption } from './use-tenant-options'

/** What became of one selected tenant. */
export type SelectResult =
  { status: 'connecting' } | { status: 'connected' } | { status: 'failed'; problem: ApiProblem }

interface Selected {
  connected: { option: TenantOption; binding: Binding }[]
  failed: { option: TenantOption; problem: ApiProblem }[]
}

/**
 * Binds the selected tenants to the organisation, one request after the other: the service asks
 * Xero for each. A failure does not stop the rest. Unmounting stops what was not sent yet.
 */
export function useSelectTenants() {
  const { api, queryClient, showToast } = useXeroService()
  const showProblem = useProblemToast()
  const messages = useMessages().connect.result
  const mounted = useMounted()
  const [results, setResults] = useState<ReadonlyMap<string, SelectResult>>(new Map())
  const record = ({ tenantId }: TenantOption, result: SelectResult) =>
    setResults((before) => new Map(before).set(tenantId, result))

  const selection = useAction({
    mutationFn: async (options: readonly TenantOption[]): Promise<Selected> => {
      const selected: Selected = { connected: [], failed: [] }
      for (const option of options) {
        if (!mounted.current) break
        record(option, { status: 'connecting' })
        const { grantId, tenantId } = option
        try {
          const binding = unwrap(
            await api.POST('/api/integrations/xero/tenants/select', {
              body: { grantId, tenantId },
            }),
          )
          selected.connected.push({ option, binding })
          record(option, { status: 'connected' })
        } catch (error) {
          const problem = toApiProblem(error)
          selected.failed.push({ option, problem })
          record(option, { status: 'failed', problem })
        }
      }
      return selected
    },
    onSuccess: ({ connected, failed }) => {
      const message = connectedMessage(messages, connected)
      if (message) showToast({ kind: 'success', title: message })
      // The dialog shows its failures itself, unless it was closed meanwhile.
      if (mounted.current) return
      for (const { option, problem } of failed) {
        showProblem(messages.failed(option.tenantName), problem)
      }
    },
    onSettled: () => {
      // The open dialog shows the results itself; the next one asks Xero again.
      void queryClient.invalidateQueries({ queryKey: TENANTS_KEY, refetchType: 'none' })
      void invalidateOrgData(queryClient)
    },
  })

  /** Removes the failure of a tenant whose checkbox the user changed. */
  const forget = (tenantId: string) =>
    setResults((before) => {
      if (before.get(tenantId)?.status !== 'failed') return before
      const rest = new Map(before)
      rest.delete(tenantId)
      return rest
    })

  return { results, select: selection.mutate, isPending: selection.isPending, forget }
}

function connectedMessage(
  messages: Messages['connect']['result'],
  [first, ...others]: Selected['connected'],
): string | null {
  if (!first) return null
  if (others.length > 0) return messages.severalConnected(others.length + 1)
  const { tenantName, availability } = first.option
  return availability === 'bound_here'
    ? messages.reconnected(tenantName)
    : messages.connected(tenantName)
}

function useMounted() {
  const mounted = useRef(true)
  useEffect(() => {
    mounted.current = true
    return () => {
      mounted.current = false
    }
  }, [])
  return mounted
}
