import type { ActivityEvent, Binding } from '@/api/types'
import type { Formats, Messages } from '@/messages'

/** Resolves the names of an event's actor and subject from what the page has loaded. */
export interface NameResolver {
  actor: (event: ActivityEvent) => string
  subject: (event: ActivityEvent) => string | null
}

interface NameSources {
  userId: string | null
  /** Bindings in use. If a grant has any, its revoked bindings are not named. */
  bindings: readonly Binding[]
  revoked: readonly Binding[]
  /** Events that may contain the name of a service key. */
  events: readonly ActivityEvent[]
  texts: Messages['activity']
  formats: Formats
}

export function createNameResolver({
  userId,
  bindings,
  revoked,
  events,
  texts,
  formats,
}: NameSources): NameResolver {
  const all = [...bindings, ...revoked]
  const keys = keyNames(events)
  const earlier = earlierGrants(events)

  const byId = (find: (binding: Binding) => boolean) => all.find(find)?.tenantName
  const onGrant = (grantId: string | null): string | null => {
    if (grantId === null) return null
    const inUse = bindings.filter((binding) => binding.grantId === grantId)
    const carried = inUse.length > 0 ? inUse : revoked.filter((each) => each.grantId === grantId)
    if (carried.length > 0) return joinNames(carried)
    // The grant was superseded, and its bindings rest on a newer one.
    const once = all.filter(({ id }) => earlier.bindingIds.get(grantId)?.has(id))
    return joinNames(once) ?? onGrant(earlier.successors.get(grantId) ?? null)
  }
  /** Clerk's names are unknown here; Xero's are known of those who connected something. */
  const colleague = (id: string) => {
    const name = all.find(({ connectedBy }) => connectedBy?.userId === id)?.connectedBy?.xeroName
    return name ? texts.actors.colleagueInXero(name) : texts.actors.colleague
  }

  return {
    actor: ({ actorKind, actorId }) => {
      if (actorKind === 'user') {
        return actorId === userId ? texts.actors.you : colleague(actorId)
      }
      if (actorKind === 'service') {
        const name = keys.get(actorId)
        return name
          ? texts.actors.serviceKey(name)
          : texts.actors.unknownServiceKey(shortenId(actorId))
      }
      if (actorId === 'an operator') return texts.actors.operator
      return actorId === 'anonymous' ? texts.actors.anonymous : texts.actors.service
    },
    subject: ({ bindingId, tenantId, grantId, detail }) => {
      if (bindingId !== null) return byId(({ id }) => id === bindingId) ?? byTenant(tenantId)
      return tenantId !== null ? byTenant(tenantId) : (text(detail['name']) ?? onGrant(grantId))
    },
  }

  /** "Acme Trading Ltd and Acme Services Ltd", "Acme Trading Ltd and 3 others"; null for none. */
  function joinNames(named: readonly Binding[]): string | null {
    const names = named.map(({ tenantName }) => tenantName)
    const [first, ...others] = names
    if (first === undefined) return null
    return others.length < 2 ? formats.list(names) : texts.andOthers(first, others.length)
  }

  function byTenant(tenantId: string | null): string | null {
    return byId((binding) => binding.tenantId === tenantId) ?? null
  }
}

/** Collects which bindings rested on a grant at the time of an event, and what superseded it. */
function earlierGrants(events: readonly ActivityEvent[]) {
  const bindingIds = new Map<string, Set<string>>()
  const successors = new Map<string, string>()
  for (const { grantId, bindingId, detail } of events) {
    if (grantId === null) continue
    const supersededBy = text(detail['supersededBy'])
    if (supersededBy) successors.set(grantId, supersededBy)
    if (bindingId === null) continue
    const ids = bindingIds.get(grantId)
    if (ids) ids.add(bindingId)
    else bindingIds.set(grantId, new Set([bindingId]))
  }
  return { bindingIds, successors }
}

/** Collects service key names by id: one event with the name is enough for all. */
function keyNames(events: readonly ActivityEvent[]): Map<string, string> {
  const names = new Map<string, string>()
  for (const { actorKind, actorId, detail } of events) {
    const own = text(detail['key'])
    if (actorKind === 'service' && own) names.set(actorId, own)
    const [id, name] = [text(detail['keyId']), text(detail['name'])]
    if (id && name) names.set(id, name)
  }
  return names
}

/** "user_…HwEfxC": consecutive ids share their beginning and differ at the end. */
function shortenId(id: string): string {
  if (id.length <= 16) return id
  const [, kind = ''] = /^([a-z]{1,8}_)/.exec(id) ?? []
  return `${kind}…${id.slice(-6)}`
}

function text(value: string | number | boolean | null | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
