import type { ReactNode } from 'react'

import type { Binding } from '@/api/types'
import { CopyButton } from '@/components/copy-button'
import { CalendarDate, RelativeTime } from '@/components/time'
import { Message, useFormats, useMessages } from '@/messages'

/** The ids to copy, who connected it, and how it is used. */
export function DetailsFacts({ binding, now }: { binding: Binding; now: number }) {
  const { row, details: messages } = useMessages().connections
  const { connectedBy, createdAt, lastUsedAt, lastCheckedAt, limits } = binding
  const who = connectedBy?.xeroName ?? connectedBy?.xeroEmail
  return (
    <dl className="grid gap-x-3 gap-y-2 text-sm sm:grid-cols-[9.25rem_1fr]">
      <Id name="bindingId" value={binding.id} />
      <Id name="tenantId" value={binding.tenantId} />
      <Fact term={messages.connected}>
        <Message
          text={who ? messages.byOn : messages.on}
          values={{ who: <bdi>{who}</bdi>, date: <CalendarDate moment={createdAt} /> }}
        />
      </Fact>
      <Fact term={messages.lastUsed}>
        {lastUsedAt ? <RelativeTime moment={lastUsedAt} now={now} /> : row.notUsed}
      </Fact>
      <Fact term={messages.lastChecked}>
        {lastCheckedAt ? <RelativeTime moment={lastCheckedAt} now={now} /> : messages.notChecked}
      </Fact>
      <Fact term={messages.leftToday}>
        <Remaining calls={limits.dayRemaining} />
      </Fact>
      <Fact term={messages.leftThisMinute}>
        <Remaining calls={limits.minuteRemaining} />
      </Fact>
    </dl>
  )
}

function Fact({ term, children }: { term: ReactNode; children: ReactNode }) {
  return (
    <div className="contents">
      <dt className="text-muted-foreground max-sm:mt-1">{term}</dt>
      <dd className="min-w-0 wrap-anywhere max-sm:-mt-2">{children}</dd>
    </div>
  )
}

/** An id under its name in the API. */
function Id({ name, value }: { name: string; value: string }) {
  return (
    <Fact term={<code className="font-mono text-xs">{name}</code>}>
      <span className="flex flex-wrap items-center gap-x-2 sm:-my-1">
        <code className="min-w-0 flex-1 font-mono text-xs text-balance break-all">{value}</code>
        <CopyButton what={name} text={value} />
      </span>
    </Fact>
  )
}

function Remaining({ calls }: { calls: number | null }) {
  const messages = useMessages().connections.details
  const { number } = useFormats()
  return calls === null ? messages.unknownUsage : number(calls)
}
