import { Search } from 'lucide-react'
import { useId, useState } from 'react'

import { Badge } from '@/components/badge'

import { isSelectable, type TenantChoice } from './tenant-choices'

const SEARCH_ABOVE = 8

interface TenantOptionsProps {
  choices: readonly TenantChoice[]
  chosen: string | null
  onChoose: (tenantId: string) => void
}

/** One radio per tenant, and a search when there are many. */
export function TenantOptions({ choices, chosen, onChoose }: TenantOptionsProps) {
  const group = useId()
  const [sought, setSought] = useState('')
  const wanted = sought.trim().toLocaleLowerCase()
  // The chosen one stays in sight: nobody should connect what they cannot see.
  const shown = choices.filter(
    ({ tenantId, tenantName }) =>
      tenantId === chosen || tenantName.toLocaleLowerCase().includes(wanted),
  )
  return (
    <>
      {choices.length > SEARCH_ABOVE && (
        <label className="relative mb-3 block">
          <span className="sr-only">Search organisations</span>
          <Search
            aria-hidden
            className="pointer-events-none absolute top-2.5 left-3 size-4 text-muted-foreground"
          />
          <input
            type="search"
            value={sought}
            onChange={(event) => setSought(event.target.value)}
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
        {shown.map((choice) => (
          <TenantOption
            key={choice.tenantId}
            choice={choice}
            group={group}
            checked={choice.tenantId === chosen}
            onChoose={() => onChoose(choice.tenantId)}
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

interface TenantOptionProps {
  choice: TenantChoice
  group: string
  checked: boolean
  onChoose: () => void
}

function TenantOption({ choice, group, checked, onChoose }: TenantOptionProps) {
  const id = useId()
  const note = noteOn(choice)
  return (
    <label className="group flex shrink-0 gap-3 rounded-xl border border-border px-4 py-3 transition-colors hover:bg-muted/60 has-checked:border-accent has-checked:bg-accent/8 has-disabled:bg-muted/40 has-disabled:hover:bg-muted/40">
      <input
        type="radio"
        name={group}
        checked={checked}
        disabled={!isSelectable(choice)}
        onChange={onChoose}
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
            {choice.tenantName}
          </span>
          <Mark choice={choice} />
        </span>
        <span id={`${id}-note`} className="mt-0.5 block text-xs text-pretty text-muted-foreground">
          {note}
        </span>
      </span>
    </label>
  )
}

function Mark({ choice }: { choice: TenantChoice }) {
  if (choice.availability === 'bound_here') return <Badge>Connected</Badge>
  if (choice.justAuthorised && isSelectable(choice)) {
    return <Badge tone="positive">Just authorised</Badge>
  }
  return null
}

function noteOn({ availability }: TenantChoice): string {
  switch (availability) {
    case 'available':
      return 'Ready to connect'
    case 'bound_here':
      return 'Already connected here. Choosing it makes it use this sign-in to Xero.'
    case 'unavailable':
      return 'In use elsewhere. It can be connected in one place at a time: disconnect it there first.'
  }
}
