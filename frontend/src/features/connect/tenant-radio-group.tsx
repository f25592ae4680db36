import { Search } from 'lucide-react'
import { useId, useState } from 'react'

import { Badge } from '@/components/badge'

import { isSelectable, type TenantOption } from './use-tenant-options'

const SEARCH_THRESHOLD = 8

interface TenantRadioGroupProps {
  options: readonly TenantOption[]
  selectedId: string | null
  onSelect: (tenantId: string) => void
}

/** One radio per tenant, with a search field when there are many. */
export function TenantRadioGroup({ options, selectedId, onSelect }: TenantRadioGroupProps) {
  const group = useId()
  const [search, setSearch] = useState('')
  const query = search.trim().toLocaleLowerCase()
  // The selected tenant stays visible, so that users see what they connect.
  const shown = options.filter(
    ({ tenantId, tenantName }) =>
      tenantId === selectedId || tenantName.toLocaleLowerCase().includes(query),
  )
  return (
    <>
      {options.length > SEARCH_THRESHOLD && (
        <label className="relative mb-3 block">
          <span className="sr-only">Search organisations</span>
          <Search
            aria-hidden
            className="pointer-events-none absolute top-2.5 left-3 size-4 text-muted-foreground"
          />
          <input
            type="search"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
            placeholder="Search organisations"
            className="h-9 w-full rounded-lg border border-input bg-surface pr-3 pl-9 text-sm placeholder:text-muted-foreground"
          />
        </label>
      )}
      <div
        role="radiogroup"
        aria-label="Xero organisations"
        className="-m-1 flex min-h-0 flex-col gap-2 overflow-y-auto p-1"
      >
        {shown.map((option) => (
          <TenantRadio
            key={option.tenantId}
            option={option}
            group={group}
            checked={option.tenantId === selectedId}
            onSelect={() => onSelect(option.tenantId)}
          />
        ))}
        {shown.length === 0 && (
          <p role="status" className="py-6 text-center text-sm text-muted-foreground">
            No organisation matches your search.
          </p>
        )}
      </div>
    </>
  )
}

interface TenantRadioProps {
  option: TenantOption
  group: string
  checked: boolean
  onSelect: () => void
}

function TenantRadio({ option, group, checked, onSelect }: TenantRadioProps) {
  const id = useId()
  const note = availabilityNote(option)
  return (
    <label className="group flex shrink-0 gap-3 rounded-xl border border-border px-4 py-3 transition-colors hover:bg-muted/60 has-checked:border-accent has-checked:bg-accent/8 has-disabled:bg-muted/40 has-disabled:hover:bg-muted/40">
      <input
        type="radio"
        name={group}
        checked={checked}
        disabled={!isSelectable(option)}
        onChange={onSelect}
        aria-labelledby={`${id}-name`}
        aria-describedby={`${id}-note`}
        className="mt-0.5 size-4 shrink-0 accent-accent"
      />
      <span className="min-w-0 flex-1">
        <span className="flex flex-wrap items-center justify-between gap-x-3 gap-y-1">
          <span
            id={`${id}-name`}
            className="text-sm font-medium break-words group-has-disabled:text-muted-foreground"
          >
            {option.tenantName}
          </span>
          <AvailabilityBadge option={option} />
        </span>
        <span id={`${id}-note`} className="mt-0.5 block text-xs text-pretty text-muted-foreground">
          {note}
        </span>
      </span>
    </label>
  )
}

function AvailabilityBadge({ option }: { option: TenantOption }) {
  if (option.availability === 'bound_here') return <Badge>Connected</Badge>
  if (option.justAuthorised && isSelectable(option)) {
    return <Badge tone="positive">Just authorised</Badge>
  }
  return null
}

function availabilityNote({ availability }: TenantOption): string {
  switch (availability) {
    case 'available':
      return 'Ready to connect'
    case 'bound_here':
      return 'Already connected here. Choosing it makes it use this sign-in to Xero.'
    case 'unavailable':
      return 'In use elsewhere. It can be connected in one place at a time: disconnect it there first.'
  }
}
