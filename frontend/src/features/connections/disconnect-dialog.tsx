import { useRef, type RefObject } from 'react'

import { useAction } from '@/api/use-action'
import { useXeroService } from '@/api/xero-service'
import { markBindingRevoked } from '@/api/bindings'
import { unwrap, toApiProblem } from '@/api/problem'
import { invalidateOrgData } from '@/api/invalidate'
import type { Binding, DisconnectResult } from '@/api/types'
import { Button } from '@/components/button'
import { QuestionDialog } from '@/components/dialog'
import { ProblemNotice } from '@/components/problem-notice'
import { useMessages, type Messages } from '@/messages'

interface DisconnectDialogProps {
  binding: Binding
  /** The organisation that was selected in its place, at the end of a switch. */
  replacedBy: string | null
  onClose: () => void
  fallbackFocus: RefObject<HTMLElement | null>
}

/** Asks for confirmation and says what will stop working. */
export function DisconnectDialog({
  binding,
  replacedBy,
  onClose,
  fallbackFocus,
}: DisconnectDialogProps) {
  const keep = useRef<HTMLButtonElement>(null)
  const disconnect = useDisconnect()
  const messages = useMessages().connections.disconnect
  const { tenantName } = binding
  return (
    <QuestionDialog
      onClose={onClose}
      title={messages.title(tenantName)}
      initialFocus={keep}
      fallbackFocus={fallbackFocus}
      description={
        <p>
          {replacedBy === null
            ? messages.description
            : messages.replacedDescription(replacedBy, tenantName)}
        </p>
      }
      footer={
        <>
          <Button ref={keep} onClick={onClose}>
            {replacedBy === null ? messages.cancel : messages.keepBoth}
          </Button>
          <Button
            variant="danger"
            pending={disconnect.isPending}
            onClick={() => disconnect.mutate(binding, { onSuccess: onClose })}
          >
            {messages.confirm}
          </Button>
        </>
      }
    >
      <ul className="flex list-disc flex-col gap-1.5 pl-4 text-sm text-pretty marker:text-muted-foreground">
        <li>{messages.noAccess(tenantName)}</li>
        <li>{messages.jobsFail}</li>
        <li>{messages.nothingDeleted}</li>
      </ul>
      {disconnect.isError && (
        <ProblemNotice
          className="mt-4"
          title={messages.failed(tenantName)}
          problem={toApiProblem(disconnect.error)}
        />
      )}
    </QuestionDialog>
  )
}

function useDisconnect() {
  const { api, queryClient, showToast } = useXeroService()
  const messages = useMessages().connections.disconnect
  return useAction({
    mutationFn: async (binding: Binding) =>
      unwrap(
        await api.POST('/api/integrations/xero/disconnect', {
          body: { tenantBindingId: binding.id },
        }),
      ),
    onSuccess: ({ remoteCleanup }, binding) => {
      markBindingRevoked(queryClient, binding)
      showToast({
        kind: 'success',
        title: messages.done(binding.tenantName),
        description: cleanupMessage(messages, remoteCleanup),
      })
    },
    onSettled: () => void invalidateOrgData(queryClient),
  })
}

function cleanupMessage(
  messages: Messages['connections']['disconnect'],
  cleanup: DisconnectResult['remoteCleanup'],
): string | undefined {
  switch (cleanup) {
    case 'done':
      return undefined
    case 'pending':
      return messages.cleanupPending
    case 'impossible':
      return messages.cleanupImpossible
  }
}
