/** Why a consent failed, in a sentence, and what to do next. */
export interface ConnectErrorMessage {
  title: string
  nextStep: string
  tone: 'neutral' | 'warning' | 'danger'
}

const errors: Record<string, ConnectErrorMessage> = {
  access_denied: {
    title: 'You cancelled at Xero, so nothing was connected.',
    nextStep: 'Connect again when you are ready, and choose "Allow access" at Xero.',
    tone: 'neutral',
  },
  flow_expired: {
    title: 'The attempt to connect took longer than ten minutes, or was already used.',
    nextStep: 'Start again and finish within ten minutes.',
    tone: 'warning',
  },
  flow_mismatch: {
    title: 'This browser did not start that attempt to connect, so it was stopped.',
    nextStep:
      'Start again here and finish in the same browser. If it happens again, allow cookies for this site.',
    tone: 'warning',
  },
  session_mismatch: {
    title: 'Somebody else, or another organisation, was signed in when Xero sent you back.',
    nextStep: 'Make sure that you are in the right organisation, then connect again.',
    tone: 'warning',
  },
  exchange_failed: {
    title: 'Xero did not complete the connection.',
    nextStep:
      'Try again in a minute. If it keeps failing, tell your operator the time it happened.',
    tone: 'danger',
  },
  no_tenants: {
    title: 'You signed in to Xero, but chose no organisation there.',
    nextStep:
      'Connect again and pick an organisation. If none is listed, ask for access to one in Xero.',
    tone: 'warning',
  },
  insufficient_scope: {
    title: 'Xero granted fewer permissions than this app needs.',
    nextStep:
      'Connect again and allow all of them. Your role in Xero may limit what you can allow: then ask an adviser or a standard user of the organisation to connect it.',
    tone: 'warning',
  },
}

const unknown: ConnectErrorMessage = {
  title: 'Connecting to Xero did not work.',
  nextStep: 'Try again. If it keeps failing, tell your operator the time it happened.',
  tone: 'danger',
}

/** Returns the message for a code; an unknown code gets a general message. */
export function connectErrorMessage(code: string): ConnectErrorMessage {
  return Object.hasOwn(errors, code) ? (errors[code] ?? unknown) : unknown
}
