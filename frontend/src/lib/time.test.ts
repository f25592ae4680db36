import { expect, it } from 'vitest'

import { daysUntil, formatDateTime, formatRelative, formatDate } from './time'

const NOW = Date.parse('2026-11-21T12:00:00Z')

it.each([
  ['2026-11-21T11:59:31Z', 'just now'],
  ['2026-11-21T11:57:00Z', '3 minutes ago'],
  ['2026-11-21T09:30:00Z', '2 hours ago'],
  ['2026-11-20T11:00:00Z', 'yesterday'],
  ['2026-11-24T12:00:00Z', 'in 3 days'],
  ['2026-09-01T12:00:00Z', '1 Sept 2026'],
])('says %s as "%s"', (moment, words) => {
  expect(formatRelative(moment, NOW)).toBe(words)
})

it.each([
  ['2026-12-03T13:00:00Z', 12],
  ['2026-11-22T11:59:59Z', 0],
  ['2026-11-21T11:59:59Z', -1],
])('counts the whole days until %s', (moment, count) => {
  expect(daysUntil(moment, NOW)).toBe(count)
})

it('names the day, and the second', () => {
  expect(formatDate('2026-11-14T10:30:05Z')).toMatch(/14 Nov 2026/)
  expect(formatDateTime('2026-11-14T10:30:05Z')).toMatch(/14 Nov 2026, \d\d:\d\d:05/)
})
