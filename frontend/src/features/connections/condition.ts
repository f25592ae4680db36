import type { Binding } from '@/api/types'
import { daysUntil } from '@/lib/time'
import type { Messages } from '@/messages'

/** The one thing that a row says about its binding, the most severe first. */
const CONDITIONS = [
  'needs_reauth',
  'expiring',
  'permissions_missing',
  'retrying',
  'suspended',
  'disconnected',
  'healthy',
] as const

export type Condition = (typeof CONDITIONS)[number]
/** The colour of a condition, by the name that a badge has for it. */
export type ConditionVariant = 'success' | 'warning' | 'secondary'

type ConnectionMessages = Messages['connections']

export function conditionOf({ status, health, permissions }: Binding): Condition {
  if (status === 'suspended') return 'suspended'
  if (health.state !== 'healthy' && health.state !== 'retrying') return health.state
  if (permissions.missing.length > 0) return 'permissions_missing'
  return health.state
}

/** Returns the place of a binding in the list: a smaller number is more severe. */
export function severityOf(binding: Binding): number {
  return CONDITIONS.indexOf(conditionOf(binding))
}

/** True if only a person can mend the binding. */
export function needsPerson(binding: Binding): boolean {
  return ['needs_reauth', 'expiring', 'permissions_missing'].includes(conditionOf(binding))
}

export function variantOf(condition: Condition): ConditionVariant {
  switch (condition) {
    case 'healthy':
      return 'success'
    case 'suspended':
    case 'disconnected':
      return 'secondary'
    case 'needs_reauth':
    case 'expiring':
    case 'permissions_missing':
    case 'retrying':
      return 'warning'
  }
}

export function conditionLabel(
  messages: ConnectionMessages['condition'],
  binding: Binding,
  now: number,
): string {
  const condition = conditionOf(binding)
  return condition === 'expiring'
    ? expiry(messages, binding.health.refreshTokenExpiresAt, now)
    : messages[condition]
}

function expiry(
  messages: ConnectionMessages['condition'],
  moment: string | null,
  now: number,
): string {
  if (moment === null) return messages.expiresSoon
  if (Date.parse(moment) <= now) return messages.expired
  const days = daysUntil(moment, now)
  return days === 0 ? messages.expiresToday : messages.expiresIn(days)
}

/** Explains a condition, and what to do; null where there is nothing to say. */
export function conditionReason(messages: ConnectionMessages, binding: Binding): string | null {
  const { health, permissions } = binding
  switch (conditionOf(binding)) {
    case 'suspended':
      return messages.reason.suspended
    case 'needs_reauth':
      return health.lastError === 'invalid_grant'
        ? messages.reason.consentEnded
        : messages.reason.accessLost
    case 'expiring':
      return messages.reason.expiring
    case 'permissions_missing':
      return messages.reason.permissionsMissing(permissions.missing.length)
    case 'retrying':
      return refreshErrorMessage(messages.refreshErrors, health.lastError)
    case 'disconnected':
    case 'healthy':
      return null
  }
}

/** Explains why a refresh failed. */
export function refreshErrorMessage(
  messages: ConnectionMessages['refreshErrors'],
  code: string | null,
): string {
  const known = code !== null && Object.hasOwn(messages, code)
  return messages[known ? (code as keyof typeof messages) : 'unknown']
}
