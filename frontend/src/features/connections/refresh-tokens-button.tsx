import { RefreshCw } from 'lucide-react'

import { useAction } from '@/api/use-action'
import { useXeroService } from '@/api/xero-service'
import { bindingsQuery } from '@/api/bindings'
import { unwrap, toApiProblem } from '@/api/problem'
import { invalidateOrgData } from '@/api/invalidate'
import type { Binding, RefreshResult } from '@/api/types'
import { Button } from '@/components/button'
import type { XeroToast } from '@/lib/toasts'

import { refreshErrorMessage, refreshSummary } from './messages'

/** Refreshes all of the organisation's tokens and shows the result. */
export function RefreshTokensButton() {
  const { api, queryClient, showToast } = useXeroService()
  const refresh = useAction({
    mutationFn: async () => unwrap(await api.POST('/api/integrations/xero/refresh')),
    onSuccess: (outcome) =>
      showToast(resultToast(outcome, queryClient.getQueryData(bindingsQuery(api).queryKey) ?? [])),
    onError: (error) =>
      showToast({
        kind: 'error',
        title: 'Tokens could not be refreshed',
        description: toApiProblem(error).detail,
      }),
    onSettled: () => void invalidateOrgData(queryClient),
  })
  return (
    <Button
      pending={refresh.isPending}
      icon={<RefreshCw aria-hidden />}
      onClick={() => refresh.mutate()}
    >
      Refresh Tokens
    </Button>
  )
}

function resultToast(outcome: RefreshResult, bindings: readonly Binding[]): XeroToast {
  if (outcome.errors.length === 0) {
    return { kind: 'success', title: refreshSummary(outcome) }
  }
  const names = new Map(bindings.map(({ id, tenantName }) => [id, tenantName]))
  return {
    kind: 'error',
    title:
      outcome.refreshedCount > 0
        ? `${refreshSummary(outcome)}, ${outcome.errors.length} failed`
        : 'Tokens could not be refreshed',
    duration: 12_000,
    description: (
      <ul className="flex flex-col gap-1">
        {outcome.errors.map(({ bindingId, error }) => (
          <li key={bindingId}>
            <strong className="font-medium">{names.get(bindingId) ?? 'One connection'}</strong>:{' '}
            {refreshErrorMessage(error)}
          </li>
        ))}
      </ul>
    ),
  }
}
