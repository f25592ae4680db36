import { expect, it } from 'vitest'

import type { ActivityEvent } from '@/api/types'
import { inOrder, read, renewal } from '@/testing/activity'

import { groupEvents } from './group-events'

const brief = (events: ActivityEvent[]) =>
  groupEvents(events).map(({ event: { id, action }, count }) => [id, action, count])

it('groups alternating reads and renewals into one entry each', () => {
  const events = inOrder([read(), renewal(), read(), renewal(), read()])

  expect(brief(events)).toEqual([
    [5, 'token.issued', 3],
    [4, 'grant.refreshed', 2],
  ])
  expect(groupEvents(events).map(({ firstAt }) => firstAt)).toEqual([
    events[4]?.occurredAt,
    events[3]?.occurredAt,
  ])
})

it('does not group what users do, and keeps the order', () => {
  expect(brief(inOrder([read(), read(), {}, {}, read()]))).toEqual([
    [5, 'token.issued', 2],
    [3, 'binding.selected', 1],
    [2, 'binding.selected', 1],
    [1, 'token.issued', 1],
  ])
})

it.each([
  ['another service key', read({ actorId: 'another' })],
  ['another organisation', read({ bindingId: 'another' })],
  ['another outcome', read({ outcome: 'refused' })],
])('does not group reads of %s', (_, other) => {
  expect(groupEvents(inOrder([read(), other, read()])).map(({ count }) => count)).toEqual([2, 1])
})

it('never groups the failure that ends a grant', () => {
  const failure = (outcome: string) => renewal({ action: 'grant.refresh_failed', outcome })
  const events = inOrder([failure('dead'), failure('xero_unavailable'), failure('dead')])

  expect(groupEvents(events)).toHaveLength(3)
})

it('omits that a user went to Xero: what came of it follows', () => {
  expect(brief(inOrder([{}, { action: 'connect.started' }]))).toEqual([[2, 'binding.selected', 1]])
})
