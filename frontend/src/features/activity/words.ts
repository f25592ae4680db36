import type { ActivityEvent, AuditAction } from '@/api/types'
import type { Messages } from '@/messages'

/** What the service records in codes, in sentences for people. */

export type Sign = 'connected' | 'ended' | 'renewed' | 'key' | 'other'

/** The outcome, if the action did not simply succeed. */
export interface Mark {
  text: string
  variant: 'warning' | 'secondary'
}

const symbols: Record<AuditAction, Sign> = {
  'connect.started': 'connected',
  'connect.refused': 'ended',
  'grant.connected': 'connected',
  'grant.superseded': 'connected',
  'grant.unused': 'ended',
  'grant.refreshed': 'renewed',
  'grant.refresh_failed': 'renewed',
  'binding.selected': 'connected',
  'binding.disconnected': 'ended',
  'binding.suspended': 'ended',
  'binding.resumed': 'connected',
  'binding.access_lost': 'ended',
  'binding.restored': 'connected',
  'remote.revoke': 'ended',
  'remote.delete_connection': 'ended',
  'token.issued': 'key',
  'access.denied': 'key',
  'key.created': 'key',
  'key.revoked': 'key',
  'webhook.created': 'other',
  'webhook.rotated': 'key',
  'webhook.disabled': 'ended',
  'webhook.enabled': 'other',
  'webhook.redelivered': 'other',
  'webhook.tested': 'other',
  'verdicts.held': 'other',
  'verdicts.released': 'other',
  'database.restored': 'other',
}

export interface Told {
  /** With `{who}` for the actor and `{what}` for what it was done to. */
  sentence: string
  /** For `{what}` when it has no name. */
  unnamed: string
  symbol: Sign
  mark: Mark | null
  reason: string | null
}

function isKnown(action: string): action is AuditAction {
  return Object.hasOwn(symbols, action)
}

export function told(event: ActivityEvent, texts: Messages['activity']): Told {
  const { action, outcome } = event
  const mark = markOf(event, texts)
  if (!isKnown(action)) {
    const reason = isSuccess(outcome)
      ? texts.recordedAs(action)
      : texts.recordedAsWithOutcome(action, outcome)
    const { unknownAction: sentence, organisation: unnamed } = texts
    return { sentence, unnamed, symbol: 'other', mark, reason }
  }
  const isAgain = action === 'binding.selected' && event.detail['created'] === false
  const { sentence, unnamed, reasons } = texts.actions[isAgain ? 'binding.reselected' : action]
  const reason = reasons && Object.hasOwn(reasons, outcome) ? reasons[outcome] : undefined
  return {
    sentence,
    unnamed: unnamed ?? texts.organisation,
    symbol: symbols[action],
    mark,
    reason: reason ?? (isSuccess(outcome) ? null : texts.recordedReason(outcome)),
  }
}

/** Returns the badge of an action that failed, or was cancelled or refused. */
function markOf({ action, outcome }: ActivityEvent, { marks }: Messages['activity']): Mark | null {
  switch (action) {
    case 'connect.refused':
      return outcome === 'access_denied'
        ? { text: marks.cancelled, variant: 'secondary' }
        : { text: marks.failed, variant: 'warning' }
    case 'grant.refresh_failed':
      return { text: marks.failed, variant: 'warning' }
    case 'binding.access_lost':
      return { text: marks.accessLost, variant: 'warning' }
    case 'access.denied':
      return { text: marks.refused, variant: 'warning' }
    default:
      return null
  }
}

function isSuccess(outcome: string): boolean {
  return outcome === 'ok' || outcome === 'done'
}
