import { Notice } from '@/components/notice'
import type { Org } from '@/lib/auth'

interface AdminHasToFinishProps {
  org: Org
  onDismiss: () => void
  className?: string
}

/** A member followed a link that only an admin can use. */
export function AdminHasToFinish({ org, onDismiss, className }: AdminHasToFinishProps) {
  return (
    <Notice
      role="status"
      title="An admin has to finish this connection"
      onDismiss={onDismiss}
      className={className}
    >
      Which Xero organisation {org.name} uses is for its admins to choose.
    </Notice>
  )
}
