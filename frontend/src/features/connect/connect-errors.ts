import type { Messages } from '@/messages'

/** The result codes of the callback that have a text. */
export type ConnectError = keyof Messages['connect']['errors']

const TONES: Record<ConnectError, 'neutral' | 'warning' | 'danger'> = {
  access_denied: 'neutral',
  flow_expired: 'warning',
  flow_mismatch: 'warning',
  session_mismatch: 'warning',
  exchange_failed: 'danger',
  no_tenants: 'warning',
  insufficient_scope: 'warning',
  unknown: 'danger',
}

/** Returns the code if it has a text, else `unknown`. */
export function knownConnectError(code: string): ConnectError {
  return Object.hasOwn(TONES, code) ? (code as ConnectError) : 'unknown'
}

export function connectErrorTone(error: ConnectError) {
  return TONES[error]
}
