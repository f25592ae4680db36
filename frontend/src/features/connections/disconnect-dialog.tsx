import { useRef } from 'react'

import { toApiProblem } from '@/api/problem'
import type { Binding, DisconnectResult } from '@/api/types'
import { useDisconnect } from '@/api/use-disconnect'
import { useXeroService } from '@/api/xero-service'
import type { DialogProps } from '@/components/lazy-dialog'
import { ProblemNotice } from '@/components/problem-notice'
import {
  AlertDialog,
  AlertDialogBody,
  AlertDialogContent,
  AlertDialogDescription,
  AlertDialogFooter,
  AlertDialogHeader,
  AlertDialogTitle,
} from '@/components/ui/alert-dialog'
import { Button } from '@/components/ui/button'
import { useDialogFocus } from '@/components/use-dialog-focus'
import { useMessages, type Messages } from '@/messages'

interface DisconnectDialogProps extends DialogProps {
  binding: Binding
  /** The organisation that was selected in its place, at the end of a switch. */
  replacedBy: string | null
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
    <AlertDialog open onOpenChange={onClose}>
      <AlertDialogContent {...useDialogFocus({ initialFocus: keep, fallbackFocus })}>
        <AlertDialogHeader>
          <AlertDialogTitle>{messages.title(tenantName)}</AlertDialogTitle>
          <AlertDialogDescription>
            {replacedBy === null
              ? messages.description
              : messages.replacedDescription(replacedBy, tenantName)}
          </AlertDialogDescription>
        </AlertDialogHeader>
        <AlertDialogBody>
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
        </AlertDialogBody>
        <AlertDialogFooter>
          <Button variant="outline" ref={keep} onClick={onClose}>
            {replacedBy === null ? messages.cancel : messages.keepBoth}
          </Button>
          <Button
            variant="destructive"
            pending={disconnect.isPending}
            onClick={() => disconnect.mutate(binding, { onSuccess: onClose })}
          >
            {messages.confirm}
          </Button>
        </AlertDialogFooter>
      </AlertDialogContent>
    </AlertDialog>
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
