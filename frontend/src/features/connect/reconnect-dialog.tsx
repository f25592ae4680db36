import type { Binding } from '@/api/types'
import type { DialogProps } from '@/components/lazy-dialog'
import { Button } from '@/components/ui/button'
import {
  Dialog,
  DialogBody,
  DialogContent,
  DialogDescription,
  DialogFooter,
  DialogHeader,
  DialogTitle,
} from '@/components/ui/dialog'
import { useDialogFocus } from '@/components/use-dialog-focus'
import { useMessages } from '@/messages'

interface ReconnectDialogProps extends DialogProps {
  binding: Binding
  pending: boolean
  onConfirm: () => void
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
    <Dialog open onOpenChange={onClose}>
      <DialogContent {...useDialogFocus({ fallbackFocus })}>
        <DialogHeader>
          <DialogTitle>{messages.title(tenantName)}</DialogTitle>
          <DialogDescription>
            {binding.health.state === 'needs_reauth'
              ? messages.broken
              : messages.working(tenantName)}
          </DialogDescription>
        </DialogHeader>
        <DialogBody>
          <p className="text-sm text-pretty">
            {messages.hint(tenantName)}
            {who && ` ${messages.lastTime(who)}`}
          </p>
        </DialogBody>
        <DialogFooter>
          <Button variant="outline" onClick={onClose}>
            {messages.cancel}
          </Button>
          <Button pending={pending} onClick={onConfirm}>
            {messages.confirm}
          </Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  )
}
