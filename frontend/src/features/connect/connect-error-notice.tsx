import { Button } from '@/components/button'
import { Notice } from '@/components/notice'

import { connectError } from './connect-errors'
import type { Connect } from './use-connect'

interface ConnectErrorNoticeProps {
  code: string
  /** Null for members, who cannot try again. */
  connect: Connect | null
  onDismiss: () => void
  className?: string
}

/** Says why the consent came to nothing, and offers the next step. */
export function ConnectErrorNotice({
  code,
  connect,
  onDismiss,
  className,
}: ConnectErrorNoticeProps) {
  const { title, next, tone } = connectError(code)
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
            pending={connect.starting === 'retry'}
            onClick={() => connect.start('retry')}
          >
            Try again
          </Button>
        )
      }
    >
      {next}
    </Notice>
  )
}
