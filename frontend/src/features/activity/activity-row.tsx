import { CircleDot, KeyRound, Link2, RefreshCw, TriangleAlert, Unlink } from 'lucide-react'

import { Badge } from '@/components/ui/badge'
import { CopyButton } from '@/components/copy-button'
import { RelativeTime } from '@/components/time'
import { cn } from '@/lib/class-names'
import { Message, useFormats, useMessages } from '@/messages'

import type { ActivityEntry } from './group-events'
import type { NameResolver } from './name-resolver'
import { told, type Sign } from './words'

const symbols: Record<Sign, typeof Link2> = {
  connected: Link2,
  ended: Unlink,
  renewed: RefreshCw,
  key: KeyRound,
  other: CircleDot,
}

interface ActivityRowProps {
  entry: ActivityEntry
  names: NameResolver
  now: number
}

/** One entry: what happened, who did it, the outcome and the time. */
export function ActivityRow({ entry, names, now }: ActivityRowProps) {
  const { event, count, firstAt } = entry
  const { activity, parts } = useMessages()
  const { number } = useFormats()
  const { sentence, unnamed, symbol, mark, reason } = told(event, activity)
  const failed = mark?.variant === 'warning'
  const Icon = failed ? TriangleAlert : symbols[symbol]
  return (
    <li className="flex gap-3 px-4 py-3 text-sm sm:px-5">
      <Icon
        aria-hidden
        className={cn('mt-0.5 size-4 shrink-0', failed ? 'text-warning' : 'text-muted-foreground')}
      />
      <div className="flex min-w-0 flex-1 flex-col gap-x-6 gap-y-0.5 sm:flex-row">
        <div className="min-w-0 flex-1">
          <p className="text-pretty">
            <Message
              text={sentence}
              values={{
                who: names.actor(event),
                what: <Subject name={names.subject(event)} unnamed={unnamed} />,
              }}
            />
            {mark && (
              <>
                {' '}
                <Badge variant={mark.variant} className="ml-1 align-middle">
                  {mark.text}
                </Badge>
              </>
            )}
          </p>
          {reason && <p className="mt-0.5 text-pretty text-muted-foreground">{reason}</p>}
          {mark && event.requestId && (
            <p className="mt-0.5 flex flex-wrap items-center gap-x-1 text-xs text-muted-foreground">
              <span className="max-w-[calc(100%-2rem)]">
                <Message
                  text={parts.reference}
                  values={{ id: <code className="font-mono break-all">{event.requestId}</code> }}
                />
              </span>
              <CopyButton what={activity.reference(event.requestId)} text={event.requestId} />
            </p>
          )}
          {count > 1 && (
            <p className="mt-0.5 text-pretty text-muted-foreground">
              <Message
                text={activity.repeated}
                values={{
                  count: number(count),
                  since: <RelativeTime moment={firstAt} now={now} />,
                }}
              />
            </p>
          )}
        </div>
        <p className="shrink-0 text-muted-foreground sm:text-right">
          <RelativeTime moment={event.occurredAt} now={now} />
        </p>
      </div>
    </li>
  )
}

/** What the action was done to: a name of Xero's, or words for one that is not known. */
function Subject({ name, unnamed }: { name: string | null; unnamed: string }) {
  if (name === null) return <span className="font-medium">{unnamed}</span>
  return <bdi className="font-medium">{name}</bdi>
}
