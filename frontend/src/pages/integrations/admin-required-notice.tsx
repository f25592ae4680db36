import { Notice } from '@/components/notice'
import type { Org } from '@/lib/auth'

interface AdminRequiredNoticeProps {
  org: Org
  onDismiss: () => void
  className?: string
}

/** Tells a member that only an admin can use this link. */
export function AdminRequiredNotice({ org, onDismiss, className }: AdminRequiredNoticeProps) {
  return (
    <Notice
      role="status"
      title="An admin has to finish this connection"
      onDismiss={onDismiss}
      className={className}
    >
      Only an admin can choose which Xero organisation {org.name} uses.
    </Notice>
  )
}
