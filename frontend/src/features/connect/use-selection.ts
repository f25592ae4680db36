import { useState } from 'react'

import { defaultTenantIds, type TenantOption } from './use-tenant-options'

interface SelectionOptions {
  choice: 'checkbox' | 'radio'
  /** Checks what was just authorised, until the user changes it. */
  preselects: boolean
}

/** Holds which tenants are chosen. */
export function useSelection(
  options: readonly TenantOption[],
  { choice, preselects }: SelectionOptions,
) {
  const [picked, setPicked] = useState<ReadonlySet<string> | null>(null)
  const preselected = preselects ? defaultTenantIds(options) : []
  const selectedIds =
    picked ?? new Set(choice === 'radio' && preselected.length > 1 ? [] : preselected)

  const toggle = (tenantId: string) => {
    const next = new Set(choice === 'radio' ? [] : selectedIds)
    if (!next.delete(tenantId)) next.add(tenantId)
    setPicked(next)
  }
  return { choice, selectedIds, toggle }
}
