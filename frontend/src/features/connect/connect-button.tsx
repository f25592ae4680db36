import { Button } from '@/components/ui/button'
import { useMessages } from '@/messages'

interface ConnectButtonProps {
  pending: boolean
  onConnect: () => void
}

/** A neutral button: Xero's rules do not allow its logo and colours here. */
export function ConnectButton({ pending, onConnect }: ConnectButtonProps) {
  const messages = useMessages().connect
  return (
    <Button pending={pending} onClick={onConnect}>
      {messages.connectXero}
    </Button>
  )
}
