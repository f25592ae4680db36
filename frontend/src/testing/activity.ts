import type { ActivityEvent, ActivityPage } from '@/api/types'

import {
  ago,
  binding,
  days,
  expiring,
  lost,
  minutes,
  retrying,
  services,
  suspended,
} from './fixtures'

/** Sample activity; a test sets only the fields that matter to it. */

const BILLING = 'a0000000-0000-4000-8000-00000000b111'

const nobody = { bindingId: null, grantId: null, tenantId: null }

export function event(change: Partial<ActivityEvent> = {}): ActivityEvent {
  return {
    id: 1,
    occurredAt: ago(minutes(3)),
    actorKind: 'user',
    actorId: 'user_acme_admin',
    action: 'binding.selected',
    outcome: 'ok',
    bindingId: binding().id,
    grantId: binding().grantId,
    tenantId: binding().tenantId,
    requestId: 'req-1',
    source: '203.0.113.7',
    detail: {},
    ...change,
  }
}

export const renewal = (change: Partial<ActivityEvent> = {}) =>
  event({
    actorKind: 'system',
    actorId: 'xero-service',
    action: 'grant.refreshed',
    bindingId: null,
    tenantId: null,
    ...change,
  })

export const read = (change: Partial<ActivityEvent> = {}) =>
  event({
    actorKind: 'service',
    actorId: BILLING,
    action: 'token.issued',
    detail: { key: 'billing', generation: 1 },
    ...change,
  })

/** Newest first, numbered from the oldest, each some minutes older than the one before. */
export function inOrder(events: Partial<ActivityEvent>[], apart = minutes(9)): ActivityEvent[] {
  return events.map((each, place) =>
    event({
      ...each,
      occurredAt: ago(minutes(2) + place * apart),
      id: events.length - place,
    }),
  )
}

const of = ({ id, grantId, tenantId }: ReturnType<typeof binding>) => ({
  bindingId: id,
  grantId,
  tenantId,
})

/** At least one event of each kind. */
export const eventful: ActivityEvent[] = inOrder([
  { action: 'binding.suspended', ...of(services), actorKind: 'system', actorId: 'an operator' },
  renewal({ outcome: 'xero_unavailable', action: 'grant.refresh_failed', ...grant(retrying) }),
  read(),
  renewal(),
  read(),
  renewal(),
  read(),
  { action: 'binding.access_lost', ...of(expiring), actorKind: 'system', actorId: 'xero-service' },
  renewal({ outcome: 'dead', action: 'grant.refresh_failed', ...grant(lost) }),
  {
    action: 'access.denied',
    outcome: 'scope_required',
    actorKind: 'service',
    actorId: 'a0000000-0000-4000-8000-00000000c222',
    ...nobody,
    detail: { key: 'reporting and monthly reconciliation', bindingId: null },
  },
  { action: 'binding.disconnected', actorId: 'user_2NNEqL2nrIRdJ194ndJqAHwEfxC', ...of(services) },
  {
    action: 'connect.refused',
    outcome: 'access_denied',
    actorKind: 'system',
    actorId: 'anonymous',
    ...nobody,
  },
  { action: 'contact.exported', ...nobody },
  { detail: { created: true } },
  { action: 'grant.connected', bindingId: null, tenantId: null },
  { action: 'connect.started', ...nobody },
])

function grant({ grantId }: { grantId: string }) {
  return { grantId }
}

/** A day without failures. */
export const everyday: ActivityEvent[] = inOrder([
  ...Array.from({ length: 18 }, () => [read(), renewal()]).flat(),
  { action: 'binding.suspended', actorKind: 'system', actorId: 'an operator', ...of(suspended) },
  { detail: { created: true } },
  { action: 'grant.connected', bindingId: null, tenantId: null },
])

/** More events than one page of the list holds. */
export const long: ActivityEvent[] = inOrder(
  Array.from({ length: 130 }, (_, place) => ({
    action: place % 2 === 0 ? 'binding.disconnected' : 'binding.selected',
  })),
  days(0.5),
)

/** Returns a page as the service does: `after` is the id of the previous page's last event. */
export function pageOf(events: ActivityEvent[], query: URLSearchParams): ActivityPage {
  const limit = Number(query.get('limit') ?? 50)
  const after = Number(query.get('after') ?? Infinity)
  const older = events.filter(({ id }) => id < after)
  const page = older.slice(0, limit)
  return { events: page, next: older.length > limit ? (page.at(-1)?.id ?? null) : null }
}
