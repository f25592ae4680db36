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
  const { tenantName } = binding
  return (
    <QuestionDialog
      onClose={onClose}
      title={`Disconnect ${tenantName}?`}
      initialFocus={keep}
      fallbackFocus={fallbackFocus}
      description={
        replacedBy ? (
          <p>
            {replacedBy} is connected now. If it takes the place of {tenantName}, disconnect the old
            one here.
          </p>
        ) : (
          <p>What uses this connection stops working at once.</p>
        )
      }
      footer={
        <>
          <Button ref={keep} onClick={onClose}>
            {replacedBy ? 'Keep both' : 'Cancel'}
          </Button>
          <Button
            variant="danger"
            pending={disconnect.isPending}
            onClick={() => disconnect.mutate(binding, { onSuccess: onClose })}
          >
            Disconnect
          </Button>
        </>
      }
    >
      <ul className="flex list-disc flex-col gap-1.5 pl-4 text-sm text-pretty marker:text-muted-foreground">
        <li>Your services can no longer read from {tenantName} in Xero, nor write to it.</li>
        <li>Scheduled jobs and syncs that need it fail until it is connected again.</li>
        <li>Nothing in Xero is deleted, and an admin can connect it again at any time.</li>
      </ul>
      {disconnect.isError && (
        <ProblemNotice
          className="mt-4"
          title={`${tenantName} is still connected`}
          problem={toApiProblem(disconnect.error)}
        />
      )}
    </QuestionDialog>
  )
}

function useDisconnect() {
  const { api, queryClient, showToast } = useXeroService()
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
        title: `${binding.tenantName} disconnected`,
        description: cleanupMessages[remoteCleanup],
      })
    },
    onSettled: () => void invalidateOrgData(queryClient),
  })
}

const cleanupMessages: Record<DisconnectResult['remoteCleanup'], string | undefined> = {
  done: undefined,
  pending:
    'Your services can no longer use it. Xero is not answering, so we will disconnect it there later.',
  impossible: 'Access had already ended at Xero.',
}
