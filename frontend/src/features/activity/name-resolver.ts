import type { ActivityEvent, Binding } from '@/api/types'

/** Who and what an event speaks of, as far as the page can name them. */
export interface Names {
  who: (event: ActivityEvent) => string
  what: (event: ActivityEvent) => string | null
}

interface Known {
  personId: string | null
  /** Those in use first: where a grant carries some of them, those that ended do not count. */
  bindings: readonly Binding[]
  revoked: readonly Binding[]
  /** Events that may tell what a service key is called. */
  events: readonly ActivityEvent[]
}

export function namesFrom({ personId, bindings, revoked, events }: Known): Names {
  const all = [...bindings, ...revoked]
  const keys = keyNames(events)

  const byId = (find: (binding: Binding) => boolean) => all.find(find)?.tenantName
  const onGrant = (grantId: string | null) => {
    const inUse = bindings.filter((binding) => binding.grantId === grantId)
    const carried = inUse.length > 0 ? inUse : revoked.filter((each) => each.grantId === grantId)
    return inList(carried.map(({ tenantName }) => tenantName))
  }

  return {
    who: ({ actorKind, actorId }) => {
      if (actorKind === 'user') {
        return actorId === personId ? 'You' : `Another admin (${shortened(actorId)})`
      }
      if (actorKind === 'service') {
        const name = keys.get(actorId)
        return name ? `Service key “${name}”` : `A service key (${shortened(actorId)})`
      }
      if (actorId === 'an operator') return 'An operator'
      return actorId === 'anonymous' ? 'Somebody' : 'The service'
    },
    what: ({ bindingId, tenantId, grantId, detail }) => {
      if (bindingId !== null) return byId(({ id }) => id === bindingId) ?? byTenant(tenantId)
      return tenantId !== null ? byTenant(tenantId) : (text(detail['name']) ?? onGrant(grantId))
    },
  }

  function byTenant(tenantId: string | null): string | null {
    return byId((binding) => binding.tenantId === tenantId) ?? null
  }
}

/** Service keys by id: an event that names one tells the name for all the others. */
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

/** "Acme Trading Ltd and Acme Services Ltd", "Acme Trading Ltd and 3 others"; null for none. */
function inList([first, ...others]: string[]): string | null {
  if (first === undefined) return null
  const [second, third] = others
  if (second === undefined) return first
  return `${first} and ${third === undefined ? second : `${others.length} others`}`
}

/** "user_…HwEfxC": ids that are made one after the other begin alike and differ at the end. */
function shortened(id: string): string {
  if (id.length <= 16) return id
  const [, kind = ''] = /^([a-z]{1,8}_)/.exec(id) ?? []
  return `${kind}…${id.slice(-6)}`
}

function text(value: string | number | boolean | null | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
