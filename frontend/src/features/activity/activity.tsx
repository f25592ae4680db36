import { useId, useState } from 'react'

import { toApiProblem } from '@/api/problem'
import { Card } from '@/components/ui/card'
import { ProblemNotice } from '@/components/problem-notice'
import { useNow } from '@/lib/use-now'
import { Message, useMessages } from '@/messages'

import { ActivityRow } from './activity-row'
import { ActivitySkeleton } from './activity-skeleton'
import { ShowMore } from './show-more'
import { useActivity, type BindingRef } from './use-activity'

const INITIAL_COUNT = 10
const STEP = 20

/** The organisation's activity, newest first; only for its admins. */
export function Activity({ orgName }: { orgName: string }) {
  const { activity } = useMessages()
  const headingId = useId()
  return (
    <section aria-labelledby={headingId} className="mt-12">
      <h2 id={headingId} className="text-base font-semibold tracking-tight">
        {activity.title}
      </h2>
      <p className="mt-0.5 mb-4 text-sm text-pretty text-muted-foreground">
        <Message text={activity.description} values={{ org: <bdi>{orgName}</bdi> }} />
      </p>
      <ActivityList />
    </section>
  )
}

interface ActivityListProps {
  /** Shows the activity of this binding only. */
  binding?: BindingRef
}

/** The list: loading, failed, empty or the entries that the user asked for. */
export function ActivityList({ binding }: ActivityListProps) {
  const now = useNow()
  const { activity } = useMessages()
  const { query, isPending, entries, names } = useActivity(binding ?? null)
  const [visibleCount, setVisibleCount] = useState(INITIAL_COUNT)
  const shown = entries.slice(0, visibleCount)

  const showMore = () => {
    setVisibleCount(visibleCount + STEP)
    if (entries.length < visibleCount + STEP && query.hasNextPage) void query.fetchNextPage()
  }

  if (isPending) return <ActivitySkeleton />
  return (
    <>
      {(query.isLoadingError || query.isRefetchError) && (
        <ProblemNotice
          className="mb-4"
          title={query.isLoadingError ? activity.notLoaded : activity.outOfDate}
          problem={toApiProblem(query.error)}
          onRetry={() => void query.refetch()}
          retrying={query.isFetching}
        />
      )}
      {query.data && (
        <Card>
          {shown.length === 0 && (
            <p className="px-4 py-6 text-sm text-pretty text-muted-foreground sm:px-5">
              {query.hasNextPage ? activity.noneSoFar : activity.empty}
            </p>
          )}
          <ol aria-label={activity.title} className="divide-y divide-border empty:hidden">
            {shown.map((entry) => (
              <ActivityRow key={entry.event.id} entry={entry} names={names} now={now} />
            ))}
          </ol>
        </Card>
      )}
      {query.isFetchNextPageError && (
        <ProblemNotice
          className="mt-4"
          title={activity.olderNotLoaded}
          problem={toApiProblem(query.error)}
        />
      )}
      {query.data && (
        <ShowMore
          shown={shown.length}
          isComplete={shown.length === entries.length && !query.hasNextPage}
          loading={query.isFetchingNextPage}
          onShowMore={showMore}
        />
      )}
    </>
  )
}
