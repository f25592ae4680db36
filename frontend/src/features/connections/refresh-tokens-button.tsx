import { RefreshCw } from 'lucide-react'

import { bindingsQuery } from '@/api/bindings'
import type { Binding, RefreshResult } from '@/api/types'
import { useProblemToast } from '@/api/use-problem-toast'
import { useRefreshTokens } from '@/api/use-refresh-tokens'
import { useXeroService } from '@/api/xero-service'
import { Button } from '@/components/ui/button'
import { styleScope } from '@/lib/style-scope'
import type { XeroToast } from '@/lib/toasts'
import { Message, useMessages, type Messages } from '@/messages'

import { refreshErrorMessage } from './condition'

/** A toast with more would cover the list. */
const ERRORS_SHOWN = 3

/** Refreshes all of the organisation's tokens, asks Xero what they reach, and shows the result. */
export function RefreshTokensButton() {
  const { api, queryClient, showToast } = useXeroService()
  const showProblem = useProblemToast()
  const messages = useMessages().connections
  const refresh = useRefreshTokens({
    onSuccess: (result) => {
      const list = queryClient.getQueryData(bindingsQuery(api).queryKey)
      showToast(resultToast(messages, result, list?.bindings ?? []))
    },
    onError: (error) => showProblem(messages.refresh.failed, error),
  })
  return (
    <Button variant="outline" pending={refresh.isPending} onClick={() => refresh.mutate()}>
      <RefreshCw aria-hidden />
      {messages.refresh.button}
    </Button>
  )
}

function resultToast(
  messages: Messages['connections'],
  result: RefreshResult,
  bindings: readonly Binding[],
): XeroToast {
  if (result.errors.length === 0) {
    // A refresh that had nothing to do is no success.
    const kind = result.refreshedCount > 0 ? 'success' : 'info'
    return { kind, title: refreshSummary(messages.refresh, result) }
  }
  const shown = result.errors.slice(0, ERRORS_SHOWN)
  const names = new Map(bindings.map(({ id, tenantName }) => [id, tenantName]))
  return {
    kind: result.refreshedCount > 0 ? 'warning' : 'error',
    title: failureTitle(messages.refresh, result),
    duration: 12_000,
    // A host's toaster is outside of our style sheet's scope, and has its own colour of text.
    description: (
      <ul {...styleScope} className="flex flex-col gap-1 text-inherit">
        {shown.map(({ bindingId, error }) => (
          <li key={bindingId}>
            <Message
              text={messages.refresh.failure}
              values={{
                name: (
                  <strong className="font-medium">
                    <bdi>{names.get(bindingId) ?? messages.refresh.oneConnection}</bdi>
                  </strong>
                ),
                reason: refreshErrorMessage(messages.refreshErrors, error),
              }}
            />
          </li>
        ))}
        {result.errors.length > shown.length && (
          <li>{messages.refresh.otherErrors(result.errors.length - shown.length)}</li>
        )}
      </ul>
    ),
  }
}

function failureTitle(messages: Messages['connections']['refresh'], result: RefreshResult): string {
  const { errors, refreshedCount } = result
  if (refreshedCount > 0) {
    return messages.partly(refreshSummary(messages, result), errors.length)
  }
  const allLost = errors.every(({ error }) => error === 'tenant_lost')
  return allLost ? messages.lost(errors.length) : messages.failed
}

/** Summarises a refresh, such as "2 tokens refreshed"; errors are not included. */
function refreshSummary(
  messages: Messages['connections']['refresh'],
  { refreshedCount, hasActiveBindings }: RefreshResult,
): string {
  if (refreshedCount > 0) return messages.refreshed(refreshedCount)
  return hasActiveBindings ? messages.upToDate : messages.nothingActive
}
