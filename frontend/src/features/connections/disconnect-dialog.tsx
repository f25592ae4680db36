import { useRef, type RefObject } from 'react'

import { useDisconnect } from '@/api/use-disconnect'
import { useXeroService } from '@/api/xero-service'
import { toApiProblem } from '@/api/problem'
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
  const { tenantName } = binding
  const { showToast } = useXeroService()
  const messages = useMessages().connections.disconnect
  const disconnect = useDisconnect(({ remoteCleanup }) =>
    showToast({
      kind: 'success',
      title: messages.done(tenantName),
      description: cleanupMessage(messages, remoteCleanup),
    }),
  )
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
