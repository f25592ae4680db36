import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'

import { useXeroService } from '@/api/xero-service'
import { bindingsQuery, revokedBindingsQuery } from '@/api/bindings'
import type { ActivityEvent, Binding } from '@/api/types'
import { useFormats, useMessages } from '@/messages'

import { activityQuery } from './activity-query'
import { groupEvents } from './group-events'
import { createNameResolver } from './name-resolver'

export type BindingRef = Pick<Binding, 'id' | 'grantId'>

/** Returns the loaded activity, of all or of one binding, and a resolver for the names in it. */
export function useActivity(binding: BindingRef | null = null) {
  const { api, queryClient, userId } = useXeroService()
  const messages = useMessages()
  const formats = useFormats()
  const query = useInfiniteQuery(activityQuery(api), queryClient)
  const { data: bindings } = useQuery(bindingsQuery(api), queryClient)
  // Used for names only: if the request fails, the list is shown without them.
  const revoked = useQuery({ ...revokedBindingsQuery(api), retry: false }, queryClient)

  const pages = query.data?.pages
  const events = useMemo(() => pages?.flatMap((page) => page.events) ?? [], [pages])
  const bindingId = binding?.id ?? null
  const grantId = binding?.grantId ?? null
  const entries = useMemo(
    () => groupEvents(eventsOf(events, bindingId, grantId)),
    [events, bindingId, grantId],
  )
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

/** Returns the events of a binding: its own, and those of the consent that it rests on. */
function eventsOf(
  events: readonly ActivityEvent[],
  bindingId: string | null,
  grantId: string | null,
): readonly ActivityEvent[] {
  if (bindingId === null) return events
  return events.filter(
    (event) =>
      event.bindingId === bindingId || (event.bindingId === null && event.grantId === grantId),
  )
}
