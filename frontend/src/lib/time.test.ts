import { expect, it } from 'vitest'

import { daysUntil } from './time'

const NOW = Date.parse('2026-11-21T12:00:00Z')

it.each([
  ['2026-12-03T13:00:00Z', 12],
  ['2026-11-22T11:59:59Z', 0],
  ['2026-11-21T11:59:59Z', -1],
])('counts the whole days until %s', (moment, count) => {
  expect(daysUntil(moment, NOW)).toBe(count)
})
