import { useState } from 'react'

import { SearchField } from '@/components/search-field'
import { RadioGroup } from '@/components/ui/radio-group'
import { useMessages } from '@/messages'

import { TenantRow } from './tenant-row'
import type { SelectResult } from './use-select-tenants'
import type { TenantOption } from './use-tenant-options'

const SEARCH_THRESHOLD = 8
const LIST = '-m-1 flex min-h-0 flex-col gap-2 overflow-y-auto p-1'

interface TenantListProps {
  options: readonly TenantOption[]
  /** Several can be chosen, or one. */
  choice: 'checkbox' | 'radio'
  selectedIds: ReadonlySet<string>
  results: ReadonlyMap<string, SelectResult>
  onToggle: (tenantId: string) => void
  disabled: boolean
}

/** One checkbox or radio per tenant, with a search field when there are many. */
export function TenantList({
  options,
  choice,
  selectedIds,
  results,
  onToggle,
  disabled,
}: TenantListProps) {
  const messages = useMessages().connect.select
  const [search, setSearch] = useState('')
  const query = search.trim().toLocaleLowerCase()
  // Selected tenants stay visible, so that users see what they connect.
  const shown = options.filter(
    ({ tenantId, tenantName }) =>
      selectedIds.has(tenantId) || tenantName.toLocaleLowerCase().includes(query),
  )
  const rows = shown.map((option) => (
    <TenantRow
      key={option.tenantId}
      option={option}
      choice={choice}
      checked={selectedIds.has(option.tenantId)}
      result={results.get(option.tenantId)}
      onToggle={() => onToggle(option.tenantId)}
      disabled={disabled}
    />
  ))
  return (
    <>
      {options.length > SEARCH_THRESHOLD && (
        <SearchField label={messages.search} value={search} onChange={setSearch} className="mb-3" />
      )}
      {choice === 'radio' ? (
        <RadioGroup
          aria-label={messages.group}
          className={LIST}
          value={[...selectedIds][0] ?? null}
          onValueChange={onToggle}
        >
          {rows}
        </RadioGroup>
      ) : (
        <div role="group" aria-label={messages.group} className={LIST}>
          {rows}
        </div>
      )}
      {shown.length === 0 && (
        <p role="status" className="py-6 text-center text-sm text-muted-foreground">
          {messages.noMatch}
        </p>
      )}
    </>
  )
}
