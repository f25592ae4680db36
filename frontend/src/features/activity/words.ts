import type { ActivityEvent, AuditAction } from '@/api/types'

/** What the service records in codes, in sentences for people. */

export type Sign = 'connected' | 'ended' | 'renewed' | 'key' | 'other'

/** How it went, where that is not simply well. */
export interface Mark {
  text: string
  tone: 'warning' | 'neutral'
}

interface Action {
  /** With `{who}` for the actor and `{what}` for what it was done to. */
  sentence: string | ((event: ActivityEvent) => string)
  /** What to say for `{what}` when its name is not known. */
  unnamed?: string
  symbol: Sign
  mark?: Mark | ((event: ActivityEvent) => Mark | null)
  /** More to say, by outcome. */
  reasons?: Record<string, string>
}

const FAILED: Mark = { text: 'Failed', tone: 'warning' }
const ORGANISATION = 'a Xero organisation'

const actions: Record<AuditAction, Action> = {
  'connect.started': { sentence: '{who} went to Xero to connect', symbol: 'connected' },
  'connect.refused': {
    sentence: '{who} came back from Xero without a connection',
    symbol: 'ended',
    mark: ({ outcome }) =>
      outcome === 'access_denied' ? { text: 'Cancelled', tone: 'neutral' } : FAILED,
    reasons: {
      access_denied: 'Access was not allowed there.',
      flow_expired: 'The attempt took longer than ten minutes.',
      flow_mismatch: 'Another browser had started the attempt.',
      session_mismatch: 'Somebody else, or another organisation, was signed in by then.',
      exchange_failed: 'Xero did not complete the connection.',
      no_tenants: 'No organisation was chosen there.',
      insufficient_scope: 'Xero granted fewer permissions than needed.',
    },
  },
  'grant.connected': {
    sentence: '{who} signed in to Xero and allowed access',
    symbol: 'connected',
  },
  'grant.superseded': {
    sentence: 'A new sign-in to Xero replaced an earlier one',
    symbol: 'connected',
  },
  'grant.unused': {
    sentence: '{who} gave up a sign-in to Xero that nothing used',
    symbol: 'ended',
  },
  'grant.refreshed': {
    sentence: '{who} renewed the tokens of {what}',
    unnamed: 'an earlier sign-in to Xero',
    symbol: 'renewed',
  },
  'grant.refresh_failed': {
    sentence: '{who} could not renew the tokens of {what}',
    unnamed: 'an earlier sign-in to Xero',
    symbol: 'renewed',
    mark: FAILED,
    reasons: {
      dead: 'Xero no longer accepted its consent: an admin has to reconnect.',
      xero_unavailable: 'Xero was not answering.',
      xero_rate_limited: 'Xero asked to slow down.',
      xero_misconfigured: "This app's own credentials at Xero were wrong.",
      xero_refused: 'Xero refused the request.',
      service_busy: 'The service was busy.',
    },
  },
  'binding.selected': {
    sentence: ({ detail }) =>
      detail['created'] === false ? '{who} reconnected {what}' : '{who} connected {what}',
    symbol: 'connected',
  },
  'binding.disconnected': { sentence: '{who} disconnected {what}', symbol: 'ended' },
  'binding.suspended': { sentence: '{who} switched {what} off', symbol: 'ended' },
  'binding.resumed': { sentence: '{who} switched {what} on again', symbol: 'connected' },
  'binding.access_lost': {
    sentence: 'Xero stopped giving access to {what}',
    symbol: 'ended',
    mark: { text: 'Access lost', tone: 'warning' },
  },
  'binding.restored': { sentence: 'Xero gives access to {what} again', symbol: 'connected' },
  'remote.revoke': remote(),
  'remote.delete_connection': remote(),
  'token.issued': { sentence: '{who} got an access token for {what}', symbol: 'key' },
  'access.denied': {
    sentence: '{who} was turned away',
    symbol: 'key',
    mark: { text: 'Refused', tone: 'warning' },
    reasons: {
      unauthorized: 'Its secret was wrong, or it had expired or been revoked.',
      scope_required: 'It may not do what it asked for.',
      not_found: 'It asked for a connection that this organisation does not have.',
      org_mismatch: 'It asked on behalf of another organisation.',
      binding_suspended: 'The connection was switched off by an operator.',
      grant_shared: 'That token would have opened another organisation, too.',
      tenant_bound_elsewhere: 'That Xero organisation is connected elsewhere.',
      tenant_not_accessible: 'The sign-in to Xero does not reach that organisation.',
    },
  },
  'key.created': {
    sentence: '{who} made the service key {what}',
    unnamed: 'of this organisation',
    symbol: 'key',
  },
  'key.revoked': {
    sentence: '{who} revoked the service key {what}',
    unnamed: 'of this organisation',
    symbol: 'key',
  },
}

function remote(): Action {
  return {
    sentence: '{who} finished disconnecting at Xero',
    symbol: 'ended',
    reasons: {
      impossible: 'Access had already ended there.',
      cancelled: 'It was connected again before that.',
    },
  }
}

/** What a newer service records, for which this page has no words. */
const unknown: Action = {
  sentence: '{who} did something that this page has no words for',
  symbol: 'other',
}

export interface Told {
  sentence: string
  /** For `{what}` when it has no name. */
  unnamed: string
  symbol: Sign
  mark: Mark | null
  reason: string | null
}

function isKnown(action: string): action is AuditAction {
  return Object.hasOwn(actions, action)
}

export function told(event: ActivityEvent): Told {
  const known = isKnown(event.action) ? actions[event.action] : undefined
  const { sentence, unnamed = ORGANISATION, symbol, mark = null, reasons } = known ?? unknown
  return {
    sentence: typeof sentence === 'string' ? sentence : sentence(event),
    unnamed,
    symbol,
    mark: typeof mark === 'function' ? mark(event) : mark,
    reason: reasonOf(event, reasons, known !== undefined),
  }
}

function reasonOf(
  { action, outcome }: ActivityEvent,
  reasons: Record<string, string> = {},
  hasWords: boolean,
): string | null {
  if (Object.hasOwn(reasons, outcome)) return reasons[outcome] ?? null
  const wentWell = outcome === 'ok' || outcome === 'done'
  if (hasWords) return wentWell ? null : `Recorded reason: ${outcome}.`
  return wentWell ? `Recorded as ${action}.` : `Recorded as ${action}, outcome ${outcome}.`
}
