/** The service's response; a test compares it with the generated types. */
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
 * Sends one refresh request. Returns null when offline, aborted or signed out, or when the service
 * fails: the next visit sends another, and the upkeep worker refreshes tokens anyway.
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
    // If the organisation changed during `getToken`, the aborted `signal` prevents this request.
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
