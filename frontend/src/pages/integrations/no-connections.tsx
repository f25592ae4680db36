import { Link2 } from 'lucide-react'
import type { ReactNode } from 'react'

import { useXeroService } from '@/api/xero-service'
import { Message, useMessages } from '@/messages'

/** Explains connecting to admins without a connection; tells members whom to ask. */
export function NoConnections({ action }: { action: ReactNode }) {
  const { orgName } = useXeroService()
  const { integrations } = useMessages()
  const org = <bdi>{orgName}</bdi>
  return (
    <div className="flex flex-col items-center px-6 py-14 text-center">
      <span
        aria-hidden
        className="flex size-11 items-center justify-center rounded-xl border border-border bg-muted text-muted-foreground"
      >
        <Link2 className="size-5" />
      </span>
      <h3 className="mt-4 text-sm font-semibold">{integrations.nothingConnected}</h3>
      <p className="mt-1.5 max-w-md text-sm text-pretty text-muted-foreground">
        <Message text={integrations.nothingConnectedHint} values={{ org }} />
      </p>
      {action ? (
        <div className="mt-6">{action}</div>
      ) : (
        <p className="mt-4 text-sm font-medium">
          <Message text={integrations.askAdmin} values={{ org }} />
        </p>
      )}
    </div>
  )
}
