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

  const byId = (find: (binding: Binding) => boolean) => all.find(find)?.tenantName
  const onGrant = (grantId: string | null) => {
    const inUse = bindings.filter((binding) => binding.grantId === grantId)
    const carried = inUse.length > 0 ? inUse : revoked.filter((each) => each.grantId === grantId)
    return joinNames(carried.map(({ tenantName }) => tenantName))
  }

  return {
    actor: ({ actorKind, actorId }) => {
      if (actorKind === 'user') {
        return actorId === userId ? texts.actors.you : texts.actors.anotherAdmin(shortenId(actorId))
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
  function joinNames(names: string[]): string | null {
    const [first, ...others] = names
    if (first === undefined) return null
    return others.length < 2 ? formats.list(names) : texts.andOthers(first, others.length)
  }

  function byTenant(tenantId: string | null): string | null {
    return byId((binding) => binding.tenantId === tenantId) ?? null
  }
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
