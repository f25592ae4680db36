import { Link2 } from 'lucide-react'
import type { ReactNode } from 'react'

import { useXeroService } from '@/api/xero-service'

/** Explains connecting to admins without a connection; tells members whom to ask. */
export function NoConnections({ action }: { action: ReactNode }) {
  const { orgName } = useXeroService()
  return (
    <div className="flex flex-col items-center px-6 py-14 text-center">
      <span
        aria-hidden
        className="flex size-11 items-center justify-center rounded-xl border border-border bg-muted text-muted-foreground"
      >
        <Link2 className="size-5" />
      </span>
      <h3 className="mt-4 text-sm font-semibold">No Xero organisation connected</h3>
      <p className="mt-1.5 max-w-md text-sm text-pretty text-muted-foreground">
        Sign in to Xero once and bind as many of its organisations to {orgName} as you need. From
        then on your services always have working access, and nobody has to think about tokens
        again.
      </p>
      {action ? (
        <div className="mt-6">{action}</div>
      ) : (
        <p className="mt-4 text-sm font-medium">Ask an admin of {orgName} to connect Xero.</p>
      )}
    </div>
  )
}
