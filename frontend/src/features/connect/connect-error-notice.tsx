import { Button } from '@/components/ui/button'
import { Notice } from '@/components/notice'
import { useMessages } from '@/messages'

import { connectErrorVariant, knownConnectError } from './connect-errors'
import type { ConnectFlow } from './use-connect'

interface ConnectErrorNoticeProps {
  code: string
  /** Null for members, who cannot try again. */
  connect: ConnectFlow | null
  onDismiss: () => void
  className?: string
}

/** Shows why the consent failed and offers the next step. */
export function ConnectErrorNotice({
  code,
  connect,
  onDismiss,
  className,
}: ConnectErrorNoticeProps) {
  const { connect: words, parts } = useMessages()
  const error = knownConnectError(code)
  const { title, nextStep } = words.errors[error]
  return (
    <Notice
      role="alert"
      variant={connectErrorVariant(error)}
      title={title}
      className={className}
      onDismiss={onDismiss}
      actions={
        connect && (
          <Button
            variant="outline"
            size="sm"
            pending={connect.pendingTrigger === 'retry'}
            onClick={() => connect.start('retry')}
          >
            {parts.tryAgain}
          </Button>
        )
      }
    >
      {nextStep}
    </Notice>
  )
}
