import { useMemo, useState } from 'react'

import type { Binding } from '@/api/types'
import { Card } from '@/components/ui/card'
import { SearchField } from '@/components/search-field'
import { useNow } from '@/lib/use-now'
import { useMessages } from '@/messages'

import { ConnectionRow, type ConnectionActions } from './connection-row'
import { ConnectionSummary } from './connection-summary'
import { findBindings, sortBindings } from './sort-bindings'

/** From nine bindings on there is a search field. */
const SEARCH_THRESHOLD = 8

interface ConnectionRowsProps {
  bindings: readonly Binding[]
  actions: ConnectionActions | null
  onDetails: (binding: Binding) => void
}

/** The rows, problems first, below a summary and a search field. */
export function ConnectionRows({ bindings, actions, onDetails }: ConnectionRowsProps) {
  const now = useNow()
  const messages = useMessages().connections.list
  const [search, setSearch] = useState('')
  const isSearchable = bindings.length > SEARCH_THRESHOLD
  const sorted = useMemo(() => sortBindings(bindings), [bindings])
  const shown = isSearchable ? findBindings(sorted, search) : sorted
  return (
    <>
      {bindings.length > 1 && (
        <div className="mb-3 flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
          <ConnectionSummary bindings={bindings} isAdmin={actions !== null} />
          {isSearchable && (
            <SearchField
              label={messages.search}
              value={search}
              onChange={setSearch}
              className="w-full sm:w-64"
            />
          )}
        </div>
      )}
      <Card>
        {shown.length === 0 && (
          <p className="px-4 py-8 text-center text-sm text-muted-foreground">{messages.noMatch}</p>
        )}
        <ul aria-label={messages.label} className="divide-y divide-border empty:hidden">
          {shown.map((binding) => (
            <ConnectionRow
              key={binding.id}
              binding={binding}
              now={now}
              actions={actions}
              onDetails={onDetails}
            />
          ))}
        </ul>
      </Card>
      <p role="status" className="sr-only">
        {isSearchable && search.trim() !== '' && messages.found(shown.length)}
      </p>
    </>
  )
}
