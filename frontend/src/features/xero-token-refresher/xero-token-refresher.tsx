import { useEffect } from 'react'

import { invalidateOrgData } from '@/api/invalidate'
import { unwrap } from '@/api/problem'
import type { RefreshResult } from '@/api/types'
import { useXeroService } from '@/api/xero-service'
import { useStableCallback } from '@/lib/use-stable-callback'
import { useMessages } from '@/messages'

export interface XeroTokenRefresherProps {
  /** The settings page, to which the toast links. */
  settingsUrl?: string
  /** Opens the settings page without a page load. */
  onOpenSettings?: () => void
}

/** One toast at a time: the toast of the next organisation replaces the last one. */
const TOAST = 'xero-token-refresher'

/**
 * Refreshes Xero's tokens before they are needed: sends one request when the user arrives in an
 * organisation, and one on each switch to another. Renders nothing.
 *
 * Mount it once, inside the signed-in part of the application, outside of what an organisation
 * switch remounts.
 */
export function XeroTokenRefresher({
  settingsUrl = '/settings/integrations',
  onOpenSettings,
}: XeroTokenRefresherProps) {
  const { api, orgId, queryClient, showToast } = useXeroService()
  const { refresher } = useMessages()

  const report = useStableCallback(({ errors, refreshedCount }: RefreshResult) => {
    if (errors.length === 0 && refreshedCount === 0) return
    void invalidateOrgData(queryClient)
    if (errors.length === 0) {
      showToast({ id: TOAST, kind: 'success', title: refresher.refreshed })
    } else {
      showToast({
        id: TOAST,
        kind: 'warning',
        title: refresher.needsAttention,
        duration: 10_000,
        // On the settings page itself the link would do nothing.
        ...(!isOpen(settingsUrl) && {
          link: { label: refresher.openSettings, href: settingsUrl, onClick: onOpenSettings },
        }),
      })
    }
  })

  const refresh = useStableCallback(async (signal: AbortSignal) => {
    if (!navigator.onLine) return
    try {
      const result = unwrap(await api.POST('/api/integrations/xero/refresh', { signal }))
      if (!signal.aborted) report(result)
    } catch {
      // Offline, switched, signed out, or the service fails: the next visit sends another request,
      // and the upkeep worker refreshes the tokens anyway.
    }
  })

  // Depends on the organisation only: a new render, token function or callback sends no request.
  useEffect(() => {
    if (orgId === null) return
    const switched = new AbortController()
    void refresh(switched.signal)
    return () => switched.abort()
  }, [orgId, refresh])

  return null
}

function isOpen(url: string): boolean {
  return new URL(url, window.location.href).pathname === window.location.pathname
}
