import type { Binding, RefreshResult } from '@/api/types'
import { daysUntil } from '@/lib/time'

/** Texts for the service's codes. */

export type Tone = 'positive' | 'warning' | 'neutral'

export function statusLabel(status: Binding['status']): { text: string; tone: Tone } {
  switch (status) {
    case 'active':
      return { text: 'Active', tone: 'positive' }
    case 'needs_reauth':
      return { text: 'Needs attention', tone: 'warning' }
    case 'suspended':
      return { text: 'Suspended', tone: 'neutral' }
    case 'revoked':
      return { text: 'Disconnected', tone: 'neutral' }
  }
}

export function healthLabel({ health }: Binding, now: number): { text: string; tone: Tone } {
  switch (health.state) {
    case 'healthy':
      return { text: 'Healthy, renews automatically', tone: 'positive' }
    case 'expiring':
      return { text: expiry(health.refreshTokenExpiresAt, now), tone: 'warning' }
    case 'retrying':
      return { text: 'Last renewal failed, trying again automatically', tone: 'warning' }
    case 'needs_reauth':
      return { text: 'Cannot renew until someone reconnects it', tone: 'warning' }
    case 'disconnected':
      return { text: 'Disconnected', tone: 'neutral' }
  }
}

function expiry(moment: string | null, now: number): string {
  if (moment === null) return 'Refresh token expires soon'
  const days = daysUntil(moment, now)
  if (Date.parse(moment) <= now) return 'Refresh token has expired'
  if (days === 0) return 'Refresh token expires today'
  return `Refresh token expires in ${days} ${days === 1 ? 'day' : 'days'}`
}

/** Explains a status that needs attention; null for a healthy binding. */
export function statusExplanation({ status, health }: Binding): string | null {
  if (status === 'suspended') {
    return 'An operator switched this connection off. Services cannot use it until an operator switches it on again.'
  }
  if (health.state === 'needs_reauth') {
    return health.lastError === 'invalid_grant'
      ? 'Xero no longer accepts the consent behind this connection: it was withdrawn, or not used for 60 days. Services cannot use it until an admin reconnects it.'
      : 'Xero no longer gives access to this organisation: it was disconnected in Xero, or the person who connected it lost access. Services cannot use it until an admin reconnects it.'
  }
  if (health.state === 'retrying') return refreshErrorMessage(health.lastError)
  return null
}

const refreshErrors: Record<string, string> = {
  invalid_grant: 'Xero no longer accepts its consent. Reconnect it.',
  reauthorization_required: 'Xero no longer accepts its consent. Reconnect it.',
  xero_unavailable: 'Xero is not answering. We keep trying; nothing for you to do.',
  xero_rate_limited: 'Xero asks us to slow down. We try again shortly; nothing for you to do.',
  xero_misconfigured:
    "This app's own credentials at Xero are wrong. An operator has to correct them.",
  xero_refused: 'Xero refused the request. We try again shortly.',
  service_busy: 'The service is busy. We try again shortly.',
}

/** Explains why a refresh failed. */
export function refreshErrorMessage(code: string | null): string {
  return refreshErrors[code ?? ''] ?? 'Something went wrong on our side. We try again shortly.'
}

/** Summarises a refresh, such as "2 tokens refreshed"; errors are not included. */
export function refreshSummary({ refreshedCount, hasActiveBindings }: RefreshResult): string {
  if (refreshedCount > 0) {
    return `${refreshedCount} ${refreshedCount === 1 ? 'token' : 'tokens'} refreshed`
  }
  return hasActiveBindings ? 'All tokens are up to date' : 'No active connection to refresh'
}
