import type { Binding, Health } from '@/api/types'
import { Tooltip } from '@/components/tooltip'
import { cn } from '@/lib/class-names'
import { useFormats, useMessages, type Messages } from '@/messages'

import { conditionLabel, conditionOf, variantOf } from './condition'

/** Token health as text; a tooltip shows the exact times. */
export function ConnectionHealth({ binding, now }: { binding: Binding; now: number }) {
  const messages = useMessages().connections
  const variant = variantOf(conditionOf(binding))
  const words = (
    <>
      <span
        aria-hidden
        className={cn(
          'mt-[calc(0.5lh-0.1875rem)] size-1.5 shrink-0 rounded-full forced-colors:bg-[CanvasText]',
          variant === 'success' && 'bg-success',
          variant === 'warning' && 'bg-warning',
          variant === 'secondary' && 'bg-muted-foreground',
        )}
      />
      <span className="text-balance">{conditionLabel(messages.condition, binding, now)}</span>
    </>
  )
  const times = exactTimes(messages.times, binding.health)
  if (times.length === 0) return <p className="inline-flex items-start gap-1.5 py-0.5">{words}</p>
  return <Tooltip content={<Times times={times} />}>{words}</Tooltip>
}

function Times({ times }: { times: [string, string][] }) {
  const { dateTime } = useFormats()
  return (
    <span className="grid gap-x-3 gap-y-1 sm:grid-cols-[auto_auto] sm:whitespace-nowrap">
      {times.map(([what, when]) => (
        <span key={what} className="contents">
          <span className="text-muted-foreground">{what} </span>
          <time dateTime={when} className="tabular-nums max-sm:-mt-1">
            {dateTime(when)}{' '}
          </time>
        </span>
      ))}
    </span>
  )
}

function exactTimes(
  messages: Messages['connections']['times'],
  health: Health,
): [string, string][] {
  const all: [string, string | null][] = [
    [messages.lastRefreshed, health.lastRefreshedAt],
    [messages.accessTokenExpires, health.accessTokenExpiresAt],
    [messages.refreshTokenExpires, health.refreshTokenExpiresAt],
  ]
  return all.filter((row): row is [string, string] => row[1] !== null)
}
