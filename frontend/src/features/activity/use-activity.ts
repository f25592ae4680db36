import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'

import { useApi } from '@/api/api-context'
import { bindingsQuery, revokedBindingsQuery } from '@/api/bindings'
import { useAuth } from '@/lib/auth'

import { activityQuery } from './activity-query'
import { groupEvents } from './group-events'
import { createNameResolver } from './name-resolver'

/** Returns the loaded activity and a resolver for the names in it. */
export function useActivity() {
  const api = useApi()
  const { session } = useAuth()
  const userId = session.status === 'signed-in' ? session.user.id : null
  const query = useInfiniteQuery(activityQuery(api))
  const { data: bindings } = useQuery(bindingsQuery(api))
  // Used for names only: if the request fails, the list is shown without them.
  const revoked = useQuery({ ...revokedBindingsQuery(api), retry: false })

  const pages = query.data?.pages
  const events = useMemo(() => pages?.flatMap((page) => page.events) ?? [], [pages])
  const entries = useMemo(() => groupEvents(events), [events])
  const names = useMemo(
    () =>
      createNameResolver({ userId, bindings: bindings ?? [], revoked: revoked.data ?? [], events }),
    [userId, bindings, revoked.data, events],
  )
  return { query, entries, names, isPending: query.isPending || revoked.isPending }
}
