import { CircleCheck, TriangleAlert } from 'lucide-react'

import type { Binding } from '@/api/types'
import { useMessages, type Messages } from '@/messages'

import { conditionOf, needsPerson } from './condition'

interface ConnectionSummaryProps {
  bindings: readonly Binding[]
  isAdmin: boolean
}

/** How many of the connections need a person. */
export function ConnectionSummary({ bindings, isAdmin }: ConnectionSummaryProps) {
  const messages = useMessages().connections.list
  const needy = bindings.filter(needsPerson).length
  return (
    <p className="flex items-center gap-2 text-sm font-medium">
      {needy > 0 ? (
        <TriangleAlert aria-hidden className="size-4 shrink-0 text-warning" />
      ) : (
        <CircleCheck aria-hidden className="size-4 shrink-0 text-success" />
      )}
      {summary(messages, bindings, { needy, isAdmin })}
    </p>
  )
}

function summary(
  messages: Messages['connections']['list'],
  bindings: readonly Binding[],
  { needy, isAdmin }: { needy: number; isAdmin: boolean },
): string {
  const total = bindings.length
  if (needy > 0) {
    return isAdmin ? messages.needsYou(needy, total) : messages.needsAdmin(needy, total)
  }
  const allWork = bindings.every((binding) => conditionOf(binding) === 'healthy')
  return allWork ? messages.allWork(total) : messages.nothingToDo(total)
}
