import { useEffect, useEffectEvent } from 'react'
import { toast } from 'sonner'

import { refreshXeroTokens, type RefreshOutcome } from './refresh-xero-tokens'

/** What the refresher has to know about signing in; any identity provider can supply it. */
export interface RefresherAuth {
  isSignedIn: boolean
  /** The active organisation, or null while there is none. */
  orgId: string | null
  /** A session token for that organisation; null when there is none to be had. */
  getToken: (orgId: string) => Promise<string | null>
}

interface XeroTokenRefresherProps {
  auth: RefresherAuth
  /** Where the connection service lives, when that is not the page's own origin. */
  apiUrl?: string
  /** Where people mend a connection; the toast links there. */
  settingsUrl?: string
  /** Follows the link without loading the page anew. */
  onOpenSettings?: () => void
  /** Told when tokens were refreshed or failed to be, so that a list of connections can reload. */
  onOutcome?: (outcome: RefreshOutcome) => void
}

/** One toast at a time: the next organisation's news replaces the last one's. */
const TOAST = 'xero-token-refresher'

/**
 * Makes sure that Xero's tokens are fresh before anybody needs them: asks the service once when
 * somebody arrives in an organisation, and once on each switch to another. Renders nothing.
 *
 * Mount it once, inside what only signed-in people see and outside what an organisation switch
 * mounts anew, beside sonner's `<Toaster />`.
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

  // The organisation alone decides: a new render, token function or callback asks nothing again.
  useEffect(() => {
    if (orgId === null) return
    const switched = new AbortController()
    void refresh(orgId, switched.signal)
    return () => switched.abort()
  }, [orgId])

  return null
}
