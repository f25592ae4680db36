import { Button } from '@/components/button'

import type { Connect } from './use-connect'

/** A neutral button of our own: Xero's logo and colours stay out of it, as its rules ask. */
export function ConnectButton({ connect }: { connect: Connect }) {
  return (
    <Button
      variant="primary"
      pending={connect.starting === 'connect'}
      onClick={() => connect.start('connect')}
    >
      Connect Xero
    </Button>
  )
}
