/**
 * What a tab stores while the user is at Xero: the session id and the org id, never a token.
 * It is stored per tab, so two tabs can have two users.
 */
export interface StoredSession {
  sessionId: string
  orgId: string | null
}

const KEY = 'sandbox-session'

export function loadSession(): StoredSession | null {
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

export function saveSession(session: StoredSession): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(session))
  } catch {
    // Storage is blocked: the session lasts until the page is left.
  }
}

export function clearSession(): void {
  try {
    sessionStorage.removeItem(KEY)
  } catch {
    // Nothing was stored.
  }
}
