import { expect, it } from 'vitest'

import { binding, health, lost, refreshed, retrying, suspended } from '@/testing/fixtures'

import {
  explanation,
  failureInWords,
  healthInWords,
  refreshedInWords,
  statusInWords,
} from './words'

const NOW = Date.parse('2026-11-21T12:00:00Z')

it.each([
  ['active', 'Active'],
  ['needs_reauth', 'Needs attention'],
  ['suspended', 'Suspended'],
  ['revoked', 'Disconnected'],
] as const)('calls %s "%s"', (status, text) => {
  expect(statusInWords(status).text).toBe(text)
})

it.each([
  ['2026-12-03T13:00:00Z', 'Refresh token expires in 12 days'],
  ['2026-11-22T13:00:00Z', 'Refresh token expires in 1 day'],
  ['2026-11-21T13:00:00Z', 'Refresh token expires today'],
  ['2026-11-21T11:00:00Z', 'Refresh token has expired'],
  [null, 'Refresh token expires soon'],
])('says of a refresh token good until %s: "%s"', (refreshTokenExpiresAt, text) => {
  const old = binding({ health: health({ state: 'expiring', refreshTokenExpiresAt }) })
  expect(healthInWords(old, NOW).text).toBe(text)
})

it.each([
  ['healthy', 'Healthy, renews automatically'],
  ['retrying', 'Last renewal failed, trying again automatically'],
  ['needs_reauth', 'Cannot renew until someone reconnects it'],
  ['disconnected', 'Disconnected'],
] as const)('says of %s: "%s"', (state, text) => {
  expect(healthInWords(binding({ health: health({ state }) }), NOW).text).toBe(text)
})

it('explains what is not simply fine', () => {
  expect(explanation(binding())).toBeNull()
  expect(explanation(suspended)).toMatch(/operator switched this connection off/)
  expect(explanation(retrying)).toMatch(/Xero is not answering/)
  expect(explanation(lost)).toMatch(/withdrawn, or not used for 60 days/)
  expect(explanation({ ...lost, health: { ...lost.health, lastError: null } })).toMatch(
    /disconnected in Xero, or the person who connected it lost access/,
  )
})

it('has words for a code it has never heard of', () => {
  expect(failureInWords('brand_new')).toMatch(/Something went wrong on our side/)
  expect(failureInWords(null)).toMatch(/Something went wrong on our side/)
})

it.each([
  [refreshed({ refreshedCount: 2 }), '2 tokens refreshed'],
  [refreshed({ refreshedCount: 1 }), '1 token refreshed'],
  [refreshed(), 'All tokens are up to date'],
  [refreshed({ hasActiveBindings: false }), 'No active connection to refresh'],
])('counts what was refreshed', (outcome, text) => {
  expect(refreshedInWords(outcome)).toBe(text)
})
