import { useId } from 'react'

import type { Binding } from '@/api/types'
import { Badge } from '@/components/badge'
import { Button } from '@/components/button'
import { Initials } from '@/components/initials'
import { RelativeTime, CalendarDate } from '@/components/time'

import { ConnectionHealth } from './connection-health'
import { statusExplanation, statusLabel } from './messages'

/** The actions of an admin on a connection. */
export interface ConnectionActions {
  onReconnect: (binding: Binding) => void
  onSwitch: (binding: Binding) => void
  onDisconnect: (binding: Binding) => void
  /** The id of the binding whose reconnect is in progress. */
  reconnectingId: string | null
}

interface ConnectionRowProps {
  binding: Binding
  now: number
  actions: ConnectionActions | null
}

export function ConnectionRow({ binding, now, actions }: ConnectionRowProps) {
  const nameId = useId()
  const status = statusLabel(binding.status)
  const reason = statusExplanation(binding)
  return (
    <li aria-labelledby={nameId} className="flex gap-4 p-4 sm:p-5">
      <Initials name={binding.tenantName} className="hidden sm:flex" />
      <div className="flex min-w-0 flex-1 flex-col gap-3 lg:flex-row lg:items-start lg:gap-6">
        <div className="min-w-0 flex-1">
          <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
            <h3 id={nameId} className="text-sm font-medium break-words">
              {binding.tenantName}
            </h3>
            <Badge tone={status.tone}>{status.text}</Badge>
          </div>
          <div className="mt-1.5 text-sm">
            <ConnectionHealth binding={binding} now={now} />
          </div>
          {reason && <p className="mt-1 text-sm text-pretty text-muted-foreground">{reason}</p>}
          {actions && binding.health.state === 'needs_reauth' && (
            <Button
              variant="primary"
              size="sm"
              className="mt-3"
              aria-describedby={nameId}
              pending={actions.reconnectingId === binding.id}
              onClick={() => actions.onReconnect(binding)}
            >
              Reconnect
            </Button>
          )}
          <ConnectionDetails binding={binding} now={now} />
        </div>
        {actions && <Actions binding={binding} actions={actions} nameId={nameId} />}
      </div>
    </li>
  )
}

/** Who connected it and when, and when it was last used. */
function ConnectionDetails({ binding, now }: { binding: Binding; now: number }) {
  const who = binding.connectedBy?.xeroName ?? binding.connectedBy?.xeroEmail
  return (
    <p className="mt-2 text-xs text-pretty text-muted-foreground">
      Connected {who && <>by {who} </>}on <CalendarDate moment={binding.createdAt} />
      <span aria-hidden className="mx-1.5">
        ·
      </span>
      {binding.lastUsedAt ? (
        <>
          Last used <RelativeTime moment={binding.lastUsedAt} now={now} />
        </>
      ) : (
        'Not used yet'
      )}
    </p>
  )
}

interface ActionsProps {
  binding: Binding
  actions: ConnectionActions
  nameId: string
}

function Actions({ binding, actions, nameId }: ActionsProps) {
  return (
    <div className="flex flex-wrap gap-2 lg:flex-nowrap lg:justify-end">
      <Button
        variant="ghost"
        size="sm"
        className="max-lg:-ml-2.5"
        aria-describedby={nameId}
        onClick={() => actions.onSwitch(binding)}
      >
        Switch organisation
      </Button>
      <Button
        size="sm"
        aria-label={`Disconnect ${binding.tenantName}`}
        onClick={() => actions.onDisconnect(binding)}
      >
        Disconnect
      </Button>
    </div>
  )
}
