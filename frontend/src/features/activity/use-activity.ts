import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'

import { useXeroService } from '@/api/xero-service'
import { bindingsQuery, revokedBindingsQuery } from '@/api/bindings'
import { useFormats, useMessages } from '@/messages'

import { activityQuery } from './activity-query'
import { groupEvents } from './group-events'
import { createNameResolver } from './name-resolver'

/** Returns the loaded activity and a resolver for the names in it. */
export function useActivity() {
  const { api, queryClient, userId } = useXeroService()
  const messages = useMessages()
  const formats = useFormats()
  const query = useInfiniteQuery(activityQuery(api), queryClient)
  const { data: bindings } = useQuery(bindingsQuery(api), queryClient)
  // Used for names only: if the request fails, the list is shown without them.
  const revoked = useQuery({ ...revokedBindingsQuery(api), retry: false }, queryClient)

  const pages = query.data?.pages
  const events = useMemo(() => pages?.flatMap((page) => page.events) ?? [], [pages])
  const entries = useMemo(() => groupEvents(events), [events])
  const names = useMemo(
    () =>
      createNameResolver({
        userId,
        bindings: bindings ?? [],
        revoked: revoked.data ?? [],
        events,
        texts: messages.activity,
        formats,
      }),
    [userId, bindings, revoked.data, events, messages, formats],
  )
  return { query, entries, names, isPending: query.isPending || revoked.isPending }
}
