/**
 * A switch that had to go by way of Xero: which binding was to be replaced. The tab remembers
 * it until it comes back, no longer than an attempt at Xero is good for.
 */
const KEY = 'pending-switch'
const GOOD_FOR = 10 * 60_000

interface PendingSwitch {
  bindingId: string
  until: number
}

export function rememberSwitch(bindingId: string): void {
  const pending: PendingSwitch = { bindingId, until: Date.now() + GOOD_FOR }
  try {
    sessionStorage.setItem(KEY, JSON.stringify(pending))
  } catch {
    // Storage is blocked: the old organisation can still be disconnected by hand.
  }
}

export function forgetSwitch(): void {
  try {
    sessionStorage.removeItem(KEY)
  } catch {
    // Nothing was stored.
  }
}

export function recallSwitch(): string | null {
  try {
    const pending = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as PendingSwitch | null
    return pending && pending.until > Date.now() ? pending.bindingId : null
  } catch {
    return null
  }
}
