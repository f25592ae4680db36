import { answered } from './problem'
import type { Api } from './client'
import type { ActivityPage } from './types'

export const ACTIVITY = ['activity'] as const

/** Some of what happened in the organisation, newest first; `after` is the `next` of newer ones. */
export async function activityPage(
  api: Api,
  { after, limit, signal }: { after: number | null; limit: number; signal: AbortSignal },
): Promise<ActivityPage> {
  const query = after === null ? { limit } : { limit, after }
  return answered(await api.GET('/api/integrations/xero/activity', { params: { query }, signal }))
}
