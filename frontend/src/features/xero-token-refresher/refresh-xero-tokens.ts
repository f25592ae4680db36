/** What the service answers; the page's own tests hold it against the generated types. */
export interface RefreshOutcome {
  success: boolean
  hasActiveBindings: boolean
  refreshedCount: number
  errors: { bindingId: string; error: string }[]
}

interface RefreshRequest {
  apiUrl: string
  getToken: () => Promise<string | null>
  signal: AbortSignal
}

/**
 * Asks once. Null where there is nothing to tell anybody: offline, aborted, signed out, or the
 * service had trouble of its own; the next visit asks again, and upkeep refreshes anyway.
 */
export async function refreshXeroTokens({
  apiUrl,
  getToken,
  signal,
}: RefreshRequest): Promise<RefreshOutcome | null> {
  if (!navigator.onLine) return null
  try {
    const token = await getToken()
    if (token === null) return null
    // Where the switch came while the token was on its way, `signal` keeps this from being sent.
    const response = await fetch(`${apiUrl}/api/integrations/xero/refresh`, {
      method: 'POST',
      headers: { Accept: 'application/json', Authorization: `Bearer ${token}` },
      signal,
    })
    return response.ok ? ((await response.json()) as RefreshOutcome) : null
  } catch {
    return null
  }
}
