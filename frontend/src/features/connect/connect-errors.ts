/** Why a consent came to nothing, in a sentence, and what to do next. */
export interface ConnectError {
  title: string
  next: string
  tone: 'neutral' | 'warning' | 'danger'
}

const errors: Record<string, ConnectError> = {
  access_denied: {
    title: 'You cancelled at Xero, so nothing was connected.',
    next: 'Connect again when you are ready, and choose "Allow access" at Xero.',
    tone: 'neutral',
  },
  flow_expired: {
    title: 'The attempt to connect took longer than ten minutes, or was already used.',
    next: 'Start again; an attempt is good for ten minutes.',
    tone: 'warning',
  },
  flow_mismatch: {
    title: 'This browser did not start that attempt to connect, so it was stopped.',
    next: 'Start again here and finish in the same browser. If it happens again, allow cookies for this site.',
    tone: 'warning',
  },
  session_mismatch: {
    title: 'Somebody else, or another organisation, was signed in when Xero sent you back.',
    next: 'Make sure that you are in the right organisation, then connect again.',
    tone: 'warning',
  },
  exchange_failed: {
    title: 'Xero did not complete the connection.',
    next: 'Try again in a minute. If it keeps failing, tell your operator the time it happened.',
    tone: 'danger',
  },
  no_tenants: {
    title: 'You signed in to Xero, but chose no organisation there.',
    next: 'Connect again and pick an organisation. If none is listed, ask for access to one in Xero.',
    tone: 'warning',
  },
  insufficient_scope: {
    title: 'Xero granted fewer permissions than this app needs.',
    next: 'Connect again and allow all of them. Your role in Xero may limit what you can allow: then ask an adviser or a standard user of the organisation to connect it.',
    tone: 'warning',
  },
}

const unknown: ConnectError = {
  title: 'Connecting to Xero did not work.',
  next: 'Try again. If it keeps failing, tell your operator the time it happened.',
  tone: 'danger',
}

/** The words for a code; a code nobody knows is never shown itself. */
export function connectError(code: string): ConnectError {
  return Object.hasOwn(errors, code) ? (errors[code] ?? unknown) : unknown
}
