import type { ActivityEvent } from '@/api/types'

/** A line of the list: one event, or a routine one that was noted several times in a row. */
export interface Entry {
  event: ActivityEvent
  times: number
  /** When it was first noted, as far back as has been read. */
  since: string
}

const ROUTINE = ['grant.refreshed', 'grant.refresh_failed', 'token.issued', 'access.denied']

/**
 * The events as a person wants to read them, newest first. Renewals and reads go on day and night:
 * between two events of any other kind, those that are alike become one entry at the newest's place.
 */
export function folded(events: readonly ActivityEvent[]): Entry[] {
  const entries: Entry[] = []
  let alike = new Map<string, Entry>()
  for (const event of events) {
    const kind = routineKind(event)
    const newer = kind === null ? undefined : alike.get(kind)
    if (newer) {
      newer.times += 1
      newer.since = event.occurredAt
      continue
    }
    const entry = { event, times: 1, since: event.occurredAt }
    entries.push(entry)
    if (kind === null) alike = new Map()
    else alike.set(kind, entry)
  }
  return entries
}

/** What makes routine events alike; null for an event that stands alone. */
function routineKind(event: ActivityEvent): string | null {
  const { action, outcome, actorId, bindingId, grantId } = event
  if (!ROUTINE.includes(action) || outcome === 'dead') return null
  return [action, outcome, actorId, bindingId, grantId].join()
}
