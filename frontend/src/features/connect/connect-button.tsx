import { Button } from '@/components/button'

import type { ConnectFlow } from './use-connect'

/** A neutral button: Xero's rules do not allow its logo and colours here. */
export function ConnectButton({ connect }: { connect: ConnectFlow }) {
  return (
    <Button
      variant="primary"
      pending={connect.pendingTrigger === 'connect'}
      onClick={() => connect.start('connect')}
    >
      Connect Xero
    </Button>
  )
}
