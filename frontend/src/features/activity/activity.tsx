import { useState } from 'react'

import { asProblem } from '@/api/problem'
import { Card } from '@/components/card'
import { ProblemNotice } from '@/components/problem-notice'
import { useNow } from '@/lib/use-now'

import { ActivityRow } from './activity-row'
import { Loading } from './loading'
import { More } from './more'
import { useActivity } from './use-activity'

const AT_FIRST = 10
const STEP = 20

/** What happened in the organisation, newest first; for its admins. */
export function Activity({ orgName }: { orgName: string }) {
  return (
    <section aria-labelledby="activity" className="mt-12">
      <h2 id="activity" className="text-base font-semibold tracking-tight">
        Activity
      </h2>
      <p className="mt-0.5 mb-4 text-sm text-pretty text-muted-foreground">
        Who connected, used and disconnected what, and how tokens were renewed. Only admins of{' '}
        {orgName} see it.
      </p>
      <ActivityList />
    </section>
  )
}

/** Loading, failed, empty, or as much of it as was asked for. */
function ActivityList() {
  const now = useNow()
  const { query, isPending, entries, names } = useActivity()
  const [wanted, setWanted] = useState(AT_FIRST)
  const shown = entries.slice(0, wanted)

  const showMore = () => {
    setWanted(wanted + STEP)
    if (entries.length < wanted + STEP && query.hasNextPage) void query.fetchNextPage()
  }

  if (isPending) return <Loading />
  return (
    <>
      {(query.isLoadingError || query.isRefetchError) && (
        <ProblemNotice
          className="mb-4"
          title={
            query.isLoadingError
              ? 'The activity could not be loaded'
              : 'This activity may be out of date'
          }
          problem={asProblem(query.error)}
          onRetry={() => void query.refetch()}
          retrying={query.isFetching}
        />
      )}
      {query.data && (
        <Card>
          {shown.length === 0 && <Nothing />}
          <ol aria-label="Activity" className="divide-y divide-border empty:hidden">
            {shown.map((entry) => (
              <ActivityRow key={entry.event.id} entry={entry} names={names} now={now} />
            ))}
          </ol>
        </Card>
      )}
      {query.isFetchNextPageError && (
        <ProblemNotice
          className="mt-4"
          title="Older activity could not be loaded"
          problem={asProblem(query.error)}
        />
      )}
      {query.data && (
        <More
          shown={shown.length}
          isAll={shown.length === entries.length && !query.hasNextPage}
          loading={query.isFetchingNextPage}
          onMore={showMore}
        />
      )}
    </>
  )
}

function Nothing() {
  return (
    <p className="px-4 py-6 text-sm text-pretty text-muted-foreground sm:px-5">
      Nothing has happened yet. What people and services do here will be listed.
    </p>
  )
}
