import { CircleDot, KeyRound, Link2, RefreshCw, TriangleAlert, Unlink } from 'lucide-react'

import { Badge } from '@/components/badge'
import { Ago } from '@/components/moment'
import { cn } from '@/lib/class-names'

import type { Entry } from './entries'
import type { Names } from './names'
import { told, type Sign } from './words'

const symbols: Record<Sign, typeof Link2> = {
  connected: Link2,
  ended: Unlink,
  renewed: RefreshCw,
  key: KeyRound,
  other: CircleDot,
}

interface ActivityRowProps {
  entry: Entry
  names: Names
  now: number
}

/** What happened, who did it, how it went and when. */
export function ActivityRow({ entry, names, now }: ActivityRowProps) {
  const { event, times, since } = entry
  const { sentence, unnamed, symbol, mark, reason } = told(event)
  const failed = mark?.tone === 'warning'
  const Icon = failed ? TriangleAlert : symbols[symbol]
  return (
    <li className="flex gap-3 px-4 py-3 text-sm sm:px-5">
      <Icon
        aria-hidden
        className={cn('mt-0.5 size-4 shrink-0', failed ? 'text-warning' : 'text-muted-foreground')}
      />
      <div className="flex min-w-0 flex-1 flex-col gap-x-6 gap-y-0.5 sm:flex-row">
        <div className="min-w-0 flex-1">
          <p className="text-pretty break-words">
            <Sentence who={names.who(event)} what={names.what(event) ?? unnamed}>
              {sentence}
            </Sentence>
            {mark && (
              <>
                {' '}
                <Badge tone={mark.tone} className="ml-1 align-middle">
                  {mark.text}
                </Badge>
              </>
            )}
          </p>
          {reason && <p className="mt-0.5 text-pretty text-muted-foreground">{reason}</p>}
          {times > 1 && (
            <p className="mt-0.5 text-muted-foreground">
              Noted {times} times, first <Ago moment={since} now={now} />.
            </p>
          )}
        </div>
        <p className="shrink-0 text-muted-foreground sm:text-right">
          <Ago moment={event.occurredAt} now={now} />
        </p>
      </div>
    </li>
  )
}

interface SentenceProps {
  children: string
  who: string
  what: string
}

/** A sentence with the names put in and set off. */
function Sentence({ children, who, what }: SentenceProps) {
  return children.split(/(\{who\}|\{what\})/).map((part, place) => {
    if (part === '{who}') return who
    if (part === '{what}') {
      return (
        <span key={place} className="font-medium">
          {what}
        </span>
      )
    }
    return part
  })
}
