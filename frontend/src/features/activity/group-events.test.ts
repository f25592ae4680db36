import { expect, it } from 'vitest'

import type { ActivityEvent } from '@/api/types'
import { inOrder, read, renewal } from '@/testing/activity'

import { folded } from './entries'

const brief = (events: ActivityEvent[]) =>
  folded(events).map(({ event: { id, action }, times }) => [id, action, times])

it('makes one entry of reads and one of renewals, however they alternate', () => {
  const events = inOrder([read(), renewal(), read(), renewal(), read()])

  expect(brief(events)).toEqual([
    [5, 'token.issued', 3],
    [4, 'grant.refreshed', 2],
  ])
  expect(folded(events).map(({ since }) => since)).toEqual([
    events[4]?.occurredAt,
    events[3]?.occurredAt,
  ])
})

it('keeps what people do apart, and the order in which it happened', () => {
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
])('tells reads apart: %s', (_, other) => {
  expect(folded(inOrder([read(), other, read()])).map(({ times }) => times)).toEqual([2, 1])
})

it('never hides the end of a grant among failures that pass', () => {
  const failure = (outcome: string) => renewal({ action: 'grant.refresh_failed', outcome })
  const events = inOrder([failure('dead'), failure('xero_unavailable'), failure('dead')])

  expect(folded(events)).toHaveLength(3)
})
