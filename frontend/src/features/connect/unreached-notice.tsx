import type { Binding } from '@/api/types'
import { Button } from '@/components/ui/button'
import { Notice } from '@/components/notice'
import { useMessages } from '@/messages'

import type { ConnectFlow } from './use-connect'

/** Says that a consent did not reach the binding that it was meant for, and what to do. */
export function UnreachedNotice({ binding, connect }: { binding: Binding; connect: ConnectFlow }) {
  const messages = useMessages().connect.unreached
  const { tenantName, connectedBy } = binding
  const who = connectedBy?.xeroName ?? connectedBy?.xeroEmail
  return (
    <Notice
      role="alert"
      variant="warning"
      className="mb-4 shrink-0"
      title={messages.title(tenantName)}
      actions={
        <Button
          variant="outline"
          size="sm"
          pending={connect.pendingTrigger === binding.id}
          onClick={() => connect.reconnect(binding.id)}
        >
          {messages.retry(tenantName)}
        </Button>
      }
    >
      {who ? messages.hintWithName(tenantName, who) : messages.hint(tenantName)}
    </Notice>
  )
}
