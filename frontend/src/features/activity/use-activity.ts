import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'

import { useApi } from '@/api/api-context'
import { bindingsQuery, revokedBindingsQuery } from '@/api/bindings'
import { useAuth } from '@/lib/auth'

import { activityQuery } from './activity-query'
import { folded } from './entries'
import { namesFrom } from './names'

/** The activity that has been read so far, and the names in it. */
export function useActivity() {
  const api = useApi()
  const { session } = useAuth()
  const personId = session.status === 'signed-in' ? session.person.id : null
  const query = useInfiniteQuery(activityQuery(api))
  const { data: bindings } = useQuery(bindingsQuery(api))
  // Only for the names: when they cannot be had, the activity is shown without.
  const revoked = useQuery({ ...revokedBindingsQuery(api), retry: false })

  const pages = query.data?.pages
  const events = useMemo(() => pages?.flatMap((page) => page.events) ?? [], [pages])
  const entries = useMemo(() => folded(events), [events])
  const names = useMemo(
    () => namesFrom({ personId, bindings: bindings ?? [], revoked: revoked.data ?? [], events }),
    [personId, bindings, revoked.data, events],
  )
  return { query, entries, names, isPending: query.isPending || revoked.isPending }
}
