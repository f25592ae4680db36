import type { RefObject } from 'react'

import type { Binding } from '@/api/types'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { useMessages } from '@/messages'

interface ReconnectDialogProps {
  binding: Binding
  pending: boolean
  onConfirm: () => void
  onClose: () => void
  fallbackFocus: RefObject<HTMLElement | null>
}

/** Asks before the link of a mail opens Xero's consent page for a binding. */
export function ReconnectDialog({
  binding,
  pending,
  onConfirm,
  onClose,
  fallbackFocus,
}: ReconnectDialogProps) {
  const messages = useMessages().connect.reconnect
  const { tenantName, connectedBy } = binding
  const who = connectedBy?.xeroName ?? connectedBy?.xeroEmail
  return (
    <Dialog
      onClose={onClose}
      title={messages.title(tenantName)}
      description={
        <p>
          {binding.health.state === 'needs_reauth' ? messages.broken : messages.working(tenantName)}
        </p>
      }
      fallbackFocus={fallbackFocus}
      footer={
        <>
          <Button onClick={onClose}>{messages.cancel}</Button>
          <Button variant="primary" pending={pending} onClick={onConfirm}>
            {messages.confirm}
          </Button>
        </>
      }
    >
      <p className="text-sm text-pretty">
        {messages.hint(tenantName)}
        {who && ` ${messages.lastTime(who)}`}
      </p>
    </Dialog>
  )
}
