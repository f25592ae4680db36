import { unwrap } from './problem'
import type { Api } from './client'
import type { ActivityPage } from './types'

export const ACTIVITY_KEY = ['activity'] as const

/** Fetches one page of activity, newest first; `after` is the `next` of the previous page. */
export async function fetchActivityPage(
  api: Api,
  { after, limit, signal }: { after: number | null; limit: number; signal: AbortSignal },
): Promise<ActivityPage> {
  const query = after === null ? { limit } : { limit, after }
  return unwrap(await api.GET('/api/integrations/xero/activity', { params: { query }, signal }))
}
