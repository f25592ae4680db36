import { Button } from '@/components/button'
import { useMessages } from '@/messages'

interface ConnectButtonProps {
  pending: boolean
  onConnect: () => void
}

/** A neutral button: Xero's rules do not allow its logo and colours here. */
export function ConnectButton({ pending, onConnect }: ConnectButtonProps) {
  const messages = useMessages().connect
  return (
    <Button variant="primary" pending={pending} onClick={onConnect}>
      {messages.connectXero}
    </Button>
  )
}
