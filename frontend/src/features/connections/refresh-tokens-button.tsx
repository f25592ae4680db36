import { useMutation, useQueryClient } from '@tanstack/react-query'
import { RefreshCw } from 'lucide-react'
import { toast } from 'sonner'

import { useApi } from '@/api/api-context'
import { bindingsQuery } from '@/api/bindings'
import { unwrap, toApiProblem } from '@/api/problem'
import { invalidateOrgData } from '@/api/invalidate'
import type { Binding, RefreshResult } from '@/api/types'
import { Button } from '@/components/button'

import { refreshErrorMessage, refreshSummary } from './messages'

/** Refreshes all of the organisation's tokens and shows the result. */
export function RefreshTokensButton() {
  const api = useApi()
  const queryClient = useQueryClient()
  const refresh = useMutation({
    mutationFn: async () => unwrap(await api.POST('/api/integrations/xero/refresh')),
    onSuccess: (outcome) =>
      showResult(outcome, queryClient.getQueryData(bindingsQuery(api).queryKey) ?? []),
    onError: (error) =>
      toast.error('Tokens could not be refreshed', { description: toApiProblem(error).detail }),
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

function showResult(outcome: RefreshResult, bindings: readonly Binding[]): void {
  if (outcome.errors.length === 0) {
    toast.success(refreshSummary(outcome))
    return
  }
  const names = new Map(bindings.map(({ id, tenantName }) => [id, tenantName]))
  toast.error(
    outcome.refreshedCount > 0
      ? `${refreshSummary(outcome)}, ${outcome.errors.length} failed`
      : 'Tokens could not be refreshed',
    {
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
    },
  )
}
