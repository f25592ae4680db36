import { memo, useId, type ReactNode } from 'react'

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
      <div className="grid min-w-0 flex-1 grid-cols-1 lg:grid-cols-[1fr_auto] lg:gap-x-6">
        <div>
          <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
            <h3 id={nameId} className="min-w-0 text-sm font-medium wrap-anywhere">
              <bdi>{binding.tenantName}</bdi>
            </h3>
            <Badge variant={variantOf(condition)}>{messages.status[binding.status]}</Badge>
          </div>
          <div className="mt-1.5 text-sm">
            <ConnectionHealth binding={binding} now={now} />
          </div>
        </div>
        <div className="lg:col-span-2">
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
    <p className="mt-2 overflow-x-clip text-xs wrap-anywhere text-muted-foreground">
      <span className="-ms-3.5 flex flex-wrap">
        <Fact>
          <Message
            text={who ? messages.connectedByOn : messages.connectedOn}
            values={{ who: <bdi>{who}</bdi>, date: <CalendarDate moment={createdAt} /> }}
          />
        </Fact>{' '}
        <Fact>
          {lastUsedAt ? (
            <Message
              text={messages.lastUsed}
              values={{ when: <RelativeTime moment={lastUsedAt} now={now} /> }}
            />
          ) : (
            messages.notUsed
          )}
        </Fact>
        {lastCheckedAt && (
          <>
            {' '}
            <Fact>
              <Message
                text={messages.checked}
                values={{ when: <RelativeTime moment={lastCheckedAt} now={now} /> }}
              />
            </Fact>
          </>
        )}
      </span>
    </p>
  )
}

/** A fact on one line, if that is wide enough. The dot before it is cut off where a line starts. */
function Fact({ children }: { children: ReactNode }) {
  return (
    <span className="relative ps-3.5 before:absolute before:start-1.5 before:top-[calc(0.5lh-1px)] before:size-0.5 before:rounded-full before:bg-current forced-colors:before:bg-[CanvasText]">
      {children}
    </span>
  )
}

type ActionsProps = Omit<ConnectionRowProps, 'now'>

function Actions({ binding, actions, onDetails }: ActionsProps) {
  const messages = useMessages().connections.row
  const { tenantName } = binding
  return (
    <div className="-mx-2.5 mt-3 flex flex-wrap gap-1 max-sm:-mx-1.5 max-sm:justify-between max-sm:gap-0 max-sm:*:px-1.5 max-sm:*:text-[0.8125rem] lg:col-start-2 lg:row-start-1 lg:-my-1 lg:flex-nowrap forced-colors:mx-0 forced-colors:gap-2">
      <Button
        variant="ghost"
        size="sm"
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
            variant="ghost"
            size="sm"
            className="hover:bg-destructive-surface hover:text-destructive-text"
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
