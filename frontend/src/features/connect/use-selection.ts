import { useState } from 'react'

import { defaultTenantIds, type TenantOption } from './use-tenant-options'

/** Holds which tenants are checked. What was just authorised is, until the user changes it. */
export function useSelection(options: readonly TenantOption[], choice: 'checkbox' | 'radio') {
  const [picked, setPicked] = useState<ReadonlySet<string> | null>(null)
  const preselected = defaultTenantIds(options)
  const selectedIds =
    picked ?? new Set(choice === 'radio' && preselected.length > 1 ? [] : preselected)

  const toggle = (tenantId: string) => {
    const next = new Set(choice === 'radio' ? [] : selectedIds)
    if (!next.delete(tenantId)) next.add(tenantId)
    setPicked(next)
  }
  return { choice, selectedIds, toggle }
}
