import { useXeroService } from '@/api/xero-service'
import { Notice } from '@/components/notice'

interface AdminRequiredNoticeProps {
  onDismiss: () => void
  className?: string
}

/** Tells a member that only an admin can use this link. */
export function AdminRequiredNotice({ onDismiss, className }: AdminRequiredNoticeProps) {
  const { orgName } = useXeroService()
  return (
    <Notice
      role="status"
      title="An admin has to finish this connection"
      onDismiss={onDismiss}
      className={className}
    >
      Only an admin can choose which Xero organisation {orgName} uses.
    </Notice>
  )
}
