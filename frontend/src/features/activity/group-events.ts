import type { ActivityEvent } from '@/api/types'

/** A line of the list: one event, or several equal routine events. */
export interface ActivityEntry {
  event: ActivityEvent
  count: number
  /** When the oldest loaded event of the group occurred. */
  firstAt: string
}

const GROUPED_ACTIONS = ['grant.refreshed', 'grant.refresh_failed', 'token.issued', 'access.denied']

/**
 * Groups routine events, newest first, and omits the starts of consents. Token renewals and reads repeat all day, so equal ones
 * between two events of another kind become one entry at the position of the newest.
 */
export function groupEvents(events: readonly ActivityEvent[]): ActivityEntry[] {
  const entries: ActivityEntry[] = []
  let groups = new Map<string, ActivityEntry>()
  for (const event of events) {
    // What came of the attempt is an event of its own.
    if (event.action === 'connect.started') continue
    const key = groupKey(event)
    const group = key === null ? undefined : groups.get(key)
    if (group) {
      group.count += 1
      group.firstAt = event.occurredAt
      continue
    }
    const entry = { event, count: 1, firstAt: event.occurredAt }
    entries.push(entry)
    if (key === null) groups = new Map()
    else groups.set(key, entry)
  }
  return entries
}

/** Returns the key of the event's group; null for an event that is not grouped. */
function groupKey(event: ActivityEvent): string | null {
  const { action, outcome, actorId, bindingId, grantId } = event
  if (!GROUPED_ACTIONS.includes(action) || outcome === 'dead') return null
  return [action, outcome, actorId, bindingId, grantId].join()
}
