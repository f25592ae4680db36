import { Button } from '@/components/button'
import { Notice } from '@/components/notice'

import { connectErrorMessage } from './connect-errors'
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
  const { title, nextStep, tone } = connectErrorMessage(code)
  return (
    <Notice
      role="alert"
      tone={tone}
      title={title}
      className={className}
      onDismiss={onDismiss}
      actions={
        connect && (
          <Button
            size="sm"
            pending={connect.pendingTrigger === 'retry'}
            onClick={() => connect.start('retry')}
          >
            Try again
          </Button>
        )
      }
    >
      {nextStep}
    </Notice>
  )
}
