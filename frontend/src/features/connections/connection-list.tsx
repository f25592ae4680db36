import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { bindingsQuery } from '@/api/bindings'
import { toApiProblem } from '@/api/problem'
import type { Binding } from '@/api/types'
import { useXeroService } from '@/api/xero-service'
import { Card } from '@/components/ui/card'
import { ProblemNotice } from '@/components/problem-notice'
import { Skeleton } from '@/components/ui/skeleton'
import { useMessages } from '@/messages'

import { ConnectionRows } from './connection-rows'
import type { ConnectionActions } from './connection-row'

interface ConnectionListProps {
  /** Null for members, who can only read. */
  actions: ConnectionActions | null
  onDetails: (binding: Binding) => void
  /** Shown while nothing is connected. */
  empty: ReactNode
}

/** The organisation's connections: loading, failed, empty or all of them. */
export function ConnectionList({ actions, onDetails, empty }: ConnectionListProps) {
  const { api, queryClient } = useXeroService()
  const messages = useMessages().connections.list
  const bindings = useQuery(bindingsQuery(api), queryClient)

  if (bindings.isPending) return <ConnectionListSkeleton />
  if (!bindings.data) {
    return (
      <ProblemNotice
        title={messages.loadFailed}
        problem={toApiProblem(bindings.error)}
        onRetry={() => void bindings.refetch()}
        retrying={bindings.isFetching}
      />
    )
  }
  return (
    <>
      {bindings.isError && (
        <ProblemNotice
          className="mb-4"
          title={messages.outOfDate}
          problem={toApiProblem(bindings.error)}
          onRetry={() => void bindings.refetch()}
          retrying={bindings.isFetching}
        />
      )}
      {bindings.data.length === 0 ? (
        <Card>{empty}</Card>
      ) : (
        <ConnectionRows bindings={bindings.data} actions={actions} onDetails={onDetails} />
      )}
    </>
  )
}

/** As tall as two rows, to avoid a layout shift. */
function ConnectionListSkeleton() {
  const messages = useMessages().connections.list
  return (
    <Card>
      <div role="status" aria-label={messages.loading} className="divide-y divide-border">
        {[1, 2].map((row) => (
          <div key={row} className="flex gap-4 p-4 sm:p-5">
            <Skeleton className="size-10 shrink-0 rounded-lg max-sm:hidden" />
            <div className="flex-1">
              <Skeleton className="h-5.5 w-40 rounded-md" />
              <Skeleton className="mt-1.5 h-5 w-56 max-w-full rounded-md" />
              <Skeleton className="mt-2 h-4 w-72 max-w-full rounded-md" />
            </div>
          </div>
        ))}
      </div>
    </Card>
  )
}
