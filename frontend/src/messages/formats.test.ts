import { afterEach, expect, it, vi } from 'vitest'

import { createFormats } from './formats'

const NOW = Date.parse('2026-11-21T12:00:00Z')

function formats(locale?: string, timeZone = 'UTC') {
  return createFormats({ locale, timeZone, justNow: 'just now' })
}

afterEach(() => vi.restoreAllMocks())

it.each([
  ['2026-11-21T11:59:31Z', 'just now'],
  ['2026-11-21T11:57:00Z', '3 minutes ago'],
  ['2026-11-21T09:30:00Z', '2 hours ago'],
  ['2026-11-20T11:00:00Z', 'yesterday'],
  ['2026-11-24T12:00:00Z', 'in 3 days'],
  ['2026-09-01T12:00:00Z', '1 Sept 2026'],
])('says %s as "%s"', (moment, words) => {
  expect(formats('en-GB').relativeTime(moment, NOW)).toBe(words)
})

it('formats days, seconds, numbers and lists as the locale of the host does', () => {
  const moment = '2026-11-14T10:30:05Z'
  expect(formats('en-GB').date(moment)).toBe('14 Nov 2026')
  expect(formats('en-US').date(moment)).toBe('Nov 14, 2026')
  expect(formats('en-GB').dateTime(moment)).toBe('14 Nov 2026, 10:30:05 UTC')
  expect(formats('de').date(moment)).toBe('14.11.2026')
  expect(formats('de').number(1234.5)).toBe('1.234,5')
  expect(formats('de').list(['A', 'B', 'C'])).toBe('A, B und C')
  expect(formats('de').relativeTime('2026-11-21T09:00:00Z', NOW)).toBe('vor 3 Stunden')
})

it('shows a moment in the time zone of the host', () => {
  const moment = '2026-11-14T12:30:00Z'
  expect(formats('en-NZ', 'Pacific/Auckland').date(moment)).toBe('15 Nov 2026')
  expect(formats('en-NZ', 'Pacific/Auckland').dateTime(moment)).toMatch(/1:30:00/)
})

it("takes dates from a foreign browser, and keeps the words in the catalogue's language", () => {
  vi.spyOn(Intl.DateTimeFormat.prototype, 'resolvedOptions').mockReturnValue({
    ...new Intl.DateTimeFormat('de').resolvedOptions(),
    locale: 'de-DE',
  })
  expect(formats().relativeTime('2026-11-21T09:00:00Z', NOW)).toBe('3 hours ago')
  expect(formats().list(['A', 'B'])).toBe('A and B')
})
