import { Button } from '@/components/button'
import { useMessages } from '@/messages'

import type { ConnectFlow } from './use-connect'

/** A neutral button: Xero's rules do not allow its logo and colours here. */
export function ConnectButton({ connect }: { connect: ConnectFlow }) {
  const messages = useMessages().connect
  return (
    <Button
      variant="primary"
      pending={connect.pendingTrigger === 'connect'}
      onClick={() => connect.start('connect')}
    >
      {messages.connectXero}
    </Button>
  )
}
