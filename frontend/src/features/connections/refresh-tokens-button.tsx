import { useMutation, useQueryClient } from '@tanstack/react-query'
import { RefreshCw } from 'lucide-react'
import { toast } from 'sonner'

import { useApi } from '@/api/api-context'
import { bindingsQuery } from '@/api/bindings'
import { answered, asProblem } from '@/api/problem'
import { reload } from '@/api/reload'
import type { Binding, Refreshed } from '@/api/types'
import { Button } from '@/components/button'

import { failureInWords, refreshedInWords } from './words'

/** Refreshes all of the organisation's tokens now, and says how that went. */
export function RefreshTokensButton() {
  const api = useApi()
  const queryClient = useQueryClient()
  const refresh = useMutation({
    mutationFn: async () => answered(await api.POST('/api/integrations/xero/refresh')),
    onSuccess: (outcome) =>
      tell(outcome, queryClient.getQueryData(bindingsQuery(api).queryKey) ?? []),
    onError: (error) =>
      toast.error('Tokens could not be refreshed', { description: asProblem(error).detail }),
    onSettled: () => void reload(queryClient),
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

function tell(outcome: Refreshed, bindings: readonly Binding[]): void {
  if (outcome.errors.length === 0) {
    toast.success(refreshedInWords(outcome))
    return
  }
  const names = new Map(bindings.map(({ id, tenantName }) => [id, tenantName]))
  toast.error(
    outcome.refreshedCount > 0
      ? `${refreshedInWords(outcome)}, ${outcome.errors.length} failed`
      : 'Tokens could not be refreshed',
    {
      duration: 12_000,
      description: (
        <ul className="flex flex-col gap-1">
          {outcome.errors.map(({ bindingId, error }) => (
            <li key={bindingId}>
              <strong className="font-medium">{names.get(bindingId) ?? 'One connection'}</strong>:{' '}
              {failureInWords(error)}
            </li>
          ))}
        </ul>
      ),
    },
  )
}
