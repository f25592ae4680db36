import { describe, expect, it } from 'vitest'

import { english } from '@/messages/english'
import { binding, expiring, health, lost, retrying, suspended } from '@/testing/fixtures'

import {
  conditionLabel,
  conditionOf,
  conditionReason,
  needsPerson,
  refreshErrorMessage,
  variantOf,
} from './condition'
import { findBindings, sortBindings } from './sort-bindings'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const { connections } = english
const narrow = binding({
  id: 'b-narrow',
  tenantName: 'Acme Narrow Ltd',
  permissions: { granted: ['openid'], missing: ['accounting.invoices.read'] },
})

describe('the condition of a binding', () => {
  it.each([
    [binding(), 'healthy', 'success', false],
    [retrying, 'retrying', 'warning', false],
    [expiring, 'expiring', 'warning', true],
    [narrow, 'permissions_missing', 'warning', true],
    [lost, 'needs_reauth', 'warning', true],
    [suspended, 'suspended', 'secondary', false],
    [{ ...suspended, health: health({ state: 'retrying' }) }, 'suspended', 'secondary', false],
    [{ ...lost, permissions: narrow.permissions }, 'needs_reauth', 'warning', true],
  ] as const)('is one, with one colour: %#', (each, condition, variant, person) => {
    expect(conditionOf(each)).toBe(condition)
    expect(variantOf(condition)).toBe(variant)
    expect(needsPerson(each)).toBe(person)
  })

  it.each([
    ['2026-12-03T13:00:00Z', 'Refresh token expires in 12 days'],
    ['2026-11-22T13:00:00Z', 'Refresh token expires in 1 day'],
    ['2026-11-21T13:00:00Z', 'Refresh token expires today'],
    ['2026-11-21T11:00:00Z', 'Refresh token has expired'],
    [null, 'Refresh token expires soon'],
  ])('tells of a refresh token good until %s: "%s"', (refreshTokenExpiresAt, text) => {
    const old = binding({ health: health({ state: 'expiring', refreshTokenExpiresAt }) })
    expect(conditionLabel(connections.condition, old, NOW)).toBe(text)
  })

  it.each([
    [binding(), 'Healthy, renews automatically'],
    [retrying, 'Last renewal failed, trying again automatically'],
    [lost, 'Cannot renew until someone reconnects it'],
    [suspended, 'Switched off by an operator'],
  ])('has a text: %#', (each, text) => {
    expect(conditionLabel(connections.condition, each, NOW)).toBe(text)
  })

  it('has a reason wherever it is not healthy', () => {
    const reason = (of: Parameters<typeof conditionReason>[1]) => conditionReason(connections, of)
    expect(reason(binding())).toBeNull()
    expect(reason(suspended)).toMatch(/until an operator switches it on again/)
    expect(reason(retrying)).toMatch(/Xero is not answering/)
    expect(reason(expiring)).toMatch(/Press "Refresh Tokens"/)
    expect(reason(narrow)).toMatch(/^One permission is missing/)
    expect(reason(lost)).toMatch(/withdrawn, or not used for 60 days/)
    expect(reason({ ...lost, health: { ...lost.health, lastError: null } })).toMatch(
      /disconnected in Xero, or the person who connected it lost access/,
    )
  })
})

it('has a text for an unknown code', () => {
  const message = (code: string | null) => refreshErrorMessage(connections.refreshErrors, code)
  expect(message('tenant_lost')).toMatch(/no longer gives access/)
  expect(message('brand_new')).toMatch(/Something went wrong on our side/)
  expect(message('constructor')).toMatch(/Something went wrong on our side/)
  expect(message(null)).toMatch(/Something went wrong on our side/)
})

it('sorts problems first, then by name with numbers by their value', () => {
  const named = (tenantName: string) => binding({ id: tenantName, tenantName })
  const sorted = sortBindings([
    named('Branch 10'),
    suspended,
    named('branch 2'),
    retrying,
    narrow,
    lost,
    expiring,
  ])
  expect(sorted.map(({ tenantName }) => tenantName)).toEqual([
    'Acme Exports Ltd',
    'Demo Company (NZ)',
    'Acme Narrow Ltd',
    'Acme Holdings Ltd',
    'Acme Archive Ltd',
    'branch 2',
    'Branch 10',
  ])
})

it.each([
  ['  narrow ', ['Acme Narrow Ltd']],
  ['b-NARROW', ['Acme Narrow Ltd']],
  ['bookkeeper@', ['Acme Exports Ltd', 'Acme Narrow Ltd']],
  ['acme.bookkeeper', ['Acme Exports Ltd', 'Acme Narrow Ltd']],
  ['zzz', []],
])('finds a binding by name, id or who connected it: "%s"', (text, found) => {
  expect(findBindings([lost, narrow], text).map(({ tenantName }) => tenantName)).toEqual(found)
})
