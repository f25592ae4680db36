import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRef, type RefObject } from 'react'
import { toast } from 'sonner'

import { useApi } from '@/api/api-context'
import { forgetBinding } from '@/api/bindings'
import { answered, asProblem } from '@/api/problem'
import { reload } from '@/api/reload'
import type { Binding, Disconnected } from '@/api/types'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { ProblemNotice } from '@/components/problem-notice'

interface DisconnectDialogProps {
  binding: Binding
  /** The organisation that was just chosen in its place, when this is the end of a switch. */
  replacedBy: string | null
  onClose: () => void
  fallbackFocus: RefObject<HTMLElement | null>
}

/** Asks before disconnecting, and says what will stop working. */
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
    <Dialog
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
          problem={asProblem(disconnect.error)}
        />
      )}
    </Dialog>
  )
}

function useDisconnect() {
  const api = useApi()
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: async (binding: Binding) =>
      answered(
        await api.POST('/api/integrations/xero/disconnect', {
          body: { tenantBindingId: binding.id },
        }),
      ),
    onSuccess: ({ remoteCleanup }, binding) => {
      forgetBinding(queryClient, binding)
      toast.success(`${binding.tenantName} disconnected`, { description: atXero[remoteCleanup] })
    },
    onSettled: () => void reload(queryClient),
  })
}

const atXero: Record<Disconnected['remoteCleanup'], string | undefined> = {
  done: undefined,
  pending: 'It no longer works here. Xero is not answering yet; we finish there by ourselves.',
  impossible: 'Access had already ended at Xero.',
}
