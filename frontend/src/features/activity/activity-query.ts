import { infiniteQueryOptions } from '@tanstack/react-query'

import { ACTIVITY, activityPage } from '@/api/activity'
import type { Api } from '@/api/client'
import type { ActivityEvent, ActivityPage } from '@/api/types'

import { folded } from './entries'

/** What one look brings at least, if there is so much, so that pressing "Show more" shows more. */
const ENTRIES = 10
/** How far one look goes through nothing but renewals and reads to find them. */
const REQUESTS = 4
const EVENTS = 100

/** The organisation's activity, newest first, further back with each page. */
export function activityQuery(api: Api) {
  return infiniteQueryOptions({
    queryKey: ACTIVITY,
    initialPageParam: null as number | null,
    queryFn: async ({ pageParam, signal }): Promise<ActivityPage> => {
      const events: ActivityEvent[] = []
      let after = pageParam
      for (let asked = 0; asked < REQUESTS; asked += 1) {
        const page = await activityPage(api, { after, limit: EVENTS, signal })
        events.push(...page.events)
        after = page.next
        if (after === null || folded(events).length >= ENTRIES) break
      }
      return { events, next: after }
    },
    getNextPageParam: ({ next }) => next,
  })
}
