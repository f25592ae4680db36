import type { Messages } from '@/messages'

/** The result codes of the callback that have a text. */
export type ConnectError = keyof Messages['connect']['errors']

const VARIANTS: Record<ConnectError, 'default' | 'warning' | 'destructive'> = {
  access_denied: 'default',
  flow_expired: 'warning',
  flow_mismatch: 'warning',
  session_mismatch: 'warning',
  exchange_failed: 'destructive',
  no_tenants: 'warning',
  insufficient_scope: 'warning',
  unknown: 'destructive',
}

/** Returns the code if it has a text, else `unknown`. */
export function knownConnectError(code: string): ConnectError {
  return Object.hasOwn(VARIANTS, code) ? (code as ConnectError) : 'unknown'
}

export function connectErrorVariant(error: ConnectError) {
  return VARIANTS[error]
}
