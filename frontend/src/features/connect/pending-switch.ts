/**
 * The binding that a switch is to replace, while the user is at Xero for a new consent. The tab
 * stores it for as long as a consent attempt is valid.
 */
const KEY = 'pending-switch'
const TTL_MS = 10 * 60_000

interface PendingSwitch {
  bindingId: string
  expiresAt: number
}

export function savePendingSwitch(bindingId: string): void {
  const pending: PendingSwitch = { bindingId, expiresAt: Date.now() + TTL_MS }
  try {
    sessionStorage.setItem(KEY, JSON.stringify(pending))
  } catch {
    // Storage is blocked: the old organisation can still be disconnected by hand.
  }
}

export function clearPendingSwitch(): void {
  try {
    sessionStorage.removeItem(KEY)
  } catch {
    // Nothing was stored.
  }
}

export function loadPendingSwitch(): string | null {
  try {
    const pending = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as PendingSwitch | null
    return pending && pending.expiresAt > Date.now() ? pending.bindingId : null
  } catch {
    return null
  }
}
