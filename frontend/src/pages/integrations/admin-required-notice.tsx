import { useXeroService } from '@/api/xero-service'
import { Notice } from '@/components/notice'
import { Message, useMessages } from '@/messages'

interface AdminRequiredNoticeProps {
  onDismiss: () => void
  className?: string
}

/** Tells a member that only an admin can use this link. */
export function AdminRequiredNotice({ onDismiss, className }: AdminRequiredNoticeProps) {
  const { orgName } = useXeroService()
  const { integrations } = useMessages()
  return (
    <Notice
      role="status"
      title={integrations.adminRequired}
      onDismiss={onDismiss}
      className={className}
    >
      <Message text={integrations.adminRequiredHint} values={{ org: <bdi>{orgName}</bdi> }} />
    </Notice>
  )
}
