import { useEffect, useEffectEvent } from 'react'
import { toast } from 'sonner'

import { refreshXeroTokens, type RefreshOutcome } from './refresh-xero-tokens'

/** The session as the refresher needs it; any identity provider can supply it. */
export interface RefresherAuth {
  isSignedIn: boolean
  /** The active organisation, or null while there is none. */
  orgId: string | null
  /** Returns a session token for that organisation; null if there is no session. */
  getToken: (orgId: string) => Promise<string | null>
}

interface XeroTokenRefresherProps {
  auth: RefresherAuth
  /** The connection service's origin, if it is not the page's own. */
  apiUrl?: string
  /** The settings page, to which the toast links. */
  settingsUrl?: string
  /** Opens the settings page without a page load. */
  onOpenSettings?: () => void
  /** Called when tokens were refreshed or failed to refresh, so that a list can reload. */
  onOutcome?: (outcome: RefreshOutcome) => void
}

/** One toast at a time: the toast of the next organisation replaces the last one. */
const TOAST = 'xero-token-refresher'

/**
 * Refreshes Xero's tokens before they are needed: sends one request when the user arrives in an
 * organisation, and one on each switch to another. Renders nothing.
 *
 * Mount it once, inside the signed-in part of the application, outside of what an organisation
 * switch remounts, beside sonner's `<Toaster />`.
 */
export function XeroTokenRefresher({
  auth,
  apiUrl = '',
  settingsUrl = '/settings/integrations',
  onOpenSettings,
  onOutcome,
}: XeroTokenRefresherProps) {
  const orgId = auth.isSignedIn ? auth.orgId : null

  const report = useEffectEvent((outcome: RefreshOutcome) => {
    if (outcome.errors.length > 0) {
      toast.warning('Xero connection needs attention', {
        id: TOAST,
        duration: 10_000,
        action: (
          <a
            data-button
            href={settingsUrl}
            onClick={(event) => {
              if (!onOpenSettings) return
              event.preventDefault()
              onOpenSettings()
            }}
          >
            Open settings
          </a>
        ),
      })
    } else if (outcome.refreshedCount > 0) {
      toast.success('Xero connection refreshed', { id: TOAST })
    }
    if (outcome.refreshedCount > 0 || outcome.errors.length > 0) onOutcome?.(outcome)
  })

  const refresh = useEffectEvent(async (forOrg: string, signal: AbortSignal) => {
    const outcome = await refreshXeroTokens({
      apiUrl,
      getToken: () => auth.getToken(forOrg),
      signal,
    })
    if (outcome && !signal.aborted) report(outcome)
  })

  // Depends on the organisation only: a new render, token function or callback sends no request.
  useEffect(() => {
    if (orgId === null) return
    const switched = new AbortController()
    void refresh(orgId, switched.signal)
    return () => switched.abort()
  }, [orgId])

  return null
}
