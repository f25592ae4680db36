import { memo, useId } from 'react'

import type { Binding } from '@/api/types'
import { Badge } from '@/components/ui/badge'
import { Button } from '@/components/ui/button'
import { Initials } from '@/components/initials'
import { CalendarDate, RelativeTime } from '@/components/time'
import { Message, useMessages } from '@/messages'

import { conditionOf, conditionReason, variantOf } from './condition'
import { ConnectionHealth } from './connection-health'
import { NextAction } from './next-action'

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
  onDetails: (binding: Binding) => void
}

/** A connection with one severity and, for admins, the one next action. */
export const ConnectionRow = memo(function ConnectionRow({
  binding,
  now,
  actions,
  onDetails,
}: ConnectionRowProps) {
  const messages = useMessages().connections
  const nameId = useId()
  const condition = conditionOf(binding)
  const reason = conditionReason(messages, binding)
  return (
    <li aria-labelledby={nameId} className="flex gap-4 p-4 sm:p-5">
      <Initials name={binding.tenantName} className="hidden sm:flex" />
      <div className="flex min-w-0 flex-1 flex-col gap-3 lg:flex-row lg:items-start lg:gap-6">
        <div className="min-w-0 flex-1">
          <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
            <h3 id={nameId} className="min-w-0 text-sm font-medium wrap-anywhere">
              <bdi>{binding.tenantName}</bdi>
            </h3>
            <Badge variant={variantOf(condition)}>{messages.status[binding.status]}</Badge>
          </div>
          <div className="mt-1.5 text-sm">
            <ConnectionHealth binding={binding} now={now} />
          </div>
          {reason && <p className="mt-1 text-sm text-pretty text-muted-foreground">{reason}</p>}
          {actions && (
            <NextAction
              binding={binding}
              onReconnect={actions.onReconnect}
              reconnectingId={actions.reconnectingId}
              nameId={nameId}
            />
          )}
          <ConnectionFacts binding={binding} now={now} />
        </div>
        <Actions binding={binding} actions={actions} onDetails={onDetails} />
      </div>
    </li>
  )
})

/** Who connected it and when, when it was last used, and when Xero was last asked about it. */
function ConnectionFacts({ binding, now }: { binding: Binding; now: number }) {
  const messages = useMessages().connections.row
  const { connectedBy, createdAt, lastUsedAt, lastCheckedAt } = binding
  const who = connectedBy?.xeroName ?? connectedBy?.xeroEmail
  return (
    <p className="mt-2 text-xs text-pretty wrap-anywhere text-muted-foreground">
      <Message
        text={who ? messages.connectedByOn : messages.connectedOn}
        values={{ who: <bdi>{who}</bdi>, date: <CalendarDate moment={createdAt} /> }}
      />
      <Separator />
      {lastUsedAt ? (
        <Message
          text={messages.lastUsed}
          values={{ when: <RelativeTime moment={lastUsedAt} now={now} /> }}
        />
      ) : (
        messages.notUsed
      )}
      {lastCheckedAt && (
        <>
          <Separator />
          <Message
            text={messages.checked}
            values={{ when: <RelativeTime moment={lastCheckedAt} now={now} /> }}
          />
        </>
      )}
    </p>
  )
}

function Separator() {
  return (
    <span aria-hidden className="mx-1.5">
      ·
    </span>
  )
}

type ActionsProps = Omit<ConnectionRowProps, 'now'>

function Actions({ binding, actions, onDetails }: ActionsProps) {
  const messages = useMessages().connections.row
  const { tenantName } = binding
  return (
    <div className="flex flex-wrap gap-2 lg:flex-nowrap lg:justify-end">
      <Button
        variant="ghost"
        size="sm"
        className="max-lg:-ml-2.5"
        aria-label={messages.detailsOf(tenantName)}
        onClick={() => onDetails(binding)}
      >
        {messages.details}
      </Button>
      {actions && (
        <>
          <Button
            variant="ghost"
            size="sm"
            aria-label={messages.switchTenant(tenantName)}
            onClick={() => actions.onSwitch(binding)}
          >
            {messages.switchOrganisation}
          </Button>
          <Button
            variant="outline"
            size="sm"
            aria-label={messages.disconnectTenant(tenantName)}
            onClick={() => actions.onDisconnect(binding)}
          >
            {messages.disconnect}
          </Button>
        </>
      )}
    </div>
  )
}
