/**
 * What a tab remembers over the way to Xero and back: which session, which org. Never a token.
 * It is the tab's own, so two tabs can be two people.
 */
export interface RememberedSession {
  sessionId: string
  orgId: string | null
}

const KEY = 'sandbox-session'

export function recall(): RememberedSession | null {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null')
    if (typeof stored !== 'object' || stored === null) return null
    const { sessionId, orgId } = stored as Record<string, unknown>
    if (typeof sessionId !== 'string') return null
    return { sessionId, orgId: typeof orgId === 'string' ? orgId : null }
  } catch {
    return null
  }
}

export function remember(session: RememberedSession): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(session))
  } catch {
    // Storage is blocked: the session lasts until the page is left.
  }
}

export function forget(): void {
  try {
    sessionStorage.removeItem(KEY)
  } catch {
    // Nothing was stored.
  }
}
