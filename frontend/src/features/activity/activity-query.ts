import { infiniteQueryOptions } from '@tanstack/react-query'

import { ACTIVITY_KEY, fetchActivityPage } from '@/api/activity'
import type { Api } from '@/api/client'
import type { ActivityEvent, ActivityPage } from '@/api/types'

import { groupEvents } from './group-events'

/** One page holds at least this many entries, if there are any, so that "Show more" adds some. */
const MIN_ENTRIES = 10
/** The number of requests for one page: many events may fold into few entries. */
const MAX_REQUESTS = 4
const EVENTS_PER_REQUEST = 100

/** The organisation's activity, newest first; each page goes further back. */
export function activityQuery(api: Api) {
  return infiniteQueryOptions({
    queryKey: ACTIVITY_KEY,
    initialPageParam: null as number | null,
    queryFn: async ({ pageParam, signal }): Promise<ActivityPage> => {
      const events: ActivityEvent[] = []
      let after = pageParam
      for (let requests = 0; requests < MAX_REQUESTS; requests += 1) {
        const page = await fetchActivityPage(api, { after, limit: EVENTS_PER_REQUEST, signal })
        events.push(...page.events)
        after = page.next
        if (after === null || groupEvents(events).length >= MIN_ENTRIES) break
      }
      return { events, next: after }
    },
    getNextPageParam: ({ next }) => next,
  })
}
