import type { PendingConsent } from '@/api/types'
import { Button } from '@/components/ui/button'
import { Notice } from '@/components/notice'
import { RelativeTime } from '@/components/time'
import { useNow } from '@/lib/use-now'
import { Message, useMessages } from '@/messages'

interface PendingConsentNoticeProps {
  pending: PendingConsent
  onFinish: () => void
}

/** Resumes a consent from which no organisation was chosen yet. */
export function PendingConsentNotice({ pending, onFinish }: PendingConsentNoticeProps) {
  const messages = useMessages().connect.pending
  const now = useNow()
  return (
    <Notice
      role="status"
      className="mb-4"
      title={messages.title}
      actions={
        <Button variant="outline" size="sm" onClick={onFinish}>
          {messages.finish}
        </Button>
      }
    >
      <Message
        text={messages.text}
        values={{ when: <RelativeTime moment={pending.authorisedAt} now={now} /> }}
      />
    </Notice>
  )
}
