import type { Binding } from '@/api/types'

import { severityOf } from './condition'

const names = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

/** Returns the bindings with problems first, then by name: "Branch 2" comes before "Branch 10". */
export function sortBindings(bindings: readonly Binding[]): Binding[] {
  return [...bindings].sort(
    (one, other) =>
      severityOf(one) - severityOf(other) || names.compare(one.tenantName, other.tenantName),
  )
}

/** Returns the bindings of which the name, an id or who connected them contains the text. */
export function findBindings(bindings: readonly Binding[], text: string): Binding[] {
  const query = text.trim().toLocaleLowerCase()
  if (query === '') return [...bindings]
  return bindings.filter(({ tenantName, id, tenantId, connectedBy }) =>
    [tenantName, id, tenantId, connectedBy?.xeroName, connectedBy?.xeroEmail].some((field) =>
      field?.toLocaleLowerCase().includes(query),
    ),
  )
}
