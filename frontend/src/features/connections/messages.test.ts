import { expect, it } from 'vitest'

import { binding, health, lost, refreshed, retrying, suspended } from '@/testing/fixtures'

import {
  statusExplanation,
  refreshErrorMessage,
  healthLabel,
  refreshSummary,
  statusLabel,
} from './messages'

const NOW = Date.parse('2026-11-21T12:00:00Z')

it.each([
  ['active', 'Active'],
  ['needs_reauth', 'Needs attention'],
  ['suspended', 'Suspended'],
  ['revoked', 'Disconnected'],
] as const)('calls %s "%s"', (status, text) => {
  expect(statusLabel(status).text).toBe(text)
})

it.each([
  ['2026-12-03T13:00:00Z', 'Refresh token expires in 12 days'],
  ['2026-11-22T13:00:00Z', 'Refresh token expires in 1 day'],
  ['2026-11-21T13:00:00Z', 'Refresh token expires today'],
  ['2026-11-21T11:00:00Z', 'Refresh token has expired'],
  [null, 'Refresh token expires soon'],
])('says of a refresh token good until %s: "%s"', (refreshTokenExpiresAt, text) => {
  const old = binding({ health: health({ state: 'expiring', refreshTokenExpiresAt }) })
  expect(healthLabel(old, NOW).text).toBe(text)
})

it.each([
  ['healthy', 'Healthy, renews automatically'],
  ['retrying', 'Last renewal failed, trying again automatically'],
  ['needs_reauth', 'Cannot renew until someone reconnects it'],
  ['disconnected', 'Disconnected'],
] as const)('says of %s: "%s"', (state, text) => {
  expect(healthLabel(binding({ health: health({ state }) }), NOW).text).toBe(text)
})

it('explains every status that needs attention', () => {
  expect(statusExplanation(binding())).toBeNull()
  expect(statusExplanation(suspended)).toMatch(/operator switched this connection off/)
  expect(statusExplanation(retrying)).toMatch(/Xero is not answering/)
  expect(statusExplanation(lost)).toMatch(/withdrawn, or not used for 60 days/)
  expect(statusExplanation({ ...lost, health: { ...lost.health, lastError: null } })).toMatch(
    /disconnected in Xero, or the person who connected it lost access/,
  )
})

it('has a text for an unknown code', () => {
  expect(refreshErrorMessage('brand_new')).toMatch(/Something went wrong on our side/)
  expect(refreshErrorMessage(null)).toMatch(/Something went wrong on our side/)
})

it.each([
  [refreshed({ refreshedCount: 2 }), '2 tokens refreshed'],
  [refreshed({ refreshedCount: 1 }), '1 token refreshed'],
  [refreshed(), 'All tokens are up to date'],
  [refreshed({ hasActiveBindings: false }), 'No active connection to refresh'],
])('counts what was refreshed', (outcome, text) => {
  expect(refreshSummary(outcome)).toBe(text)
})
