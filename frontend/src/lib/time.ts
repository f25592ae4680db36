/** Formats relative and absolute times. */

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' })
const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' })

/** "3 hours ago", "yesterday", "in 12 days"; beyond a month, the date. */
export function formatRelative(moment: string, now: number): string {
  const distance = Date.parse(moment) - now
  const away = Math.abs(distance)
  if (away < MINUTE) return 'just now'
  if (away < HOUR) return relative.format(Math.trunc(distance / MINUTE), 'minute')
  if (away < DAY) return relative.format(Math.trunc(distance / HOUR), 'hour')
  if (away < 30 * DAY) return relative.format(Math.trunc(distance / DAY), 'day')
  return formatDate(moment)
}

/** "14 Nov 2026" */
export function formatDate(moment: string): string {
  return day.format(Date.parse(moment))
}

/** "14 Nov 2026, 10:30:00 UTC" */
export function formatDateTime(moment: string): string {
  return exact.format(Date.parse(moment))
}

/** Returns the whole days until `moment`; 0 on the last day, negative afterwards. */
export function daysUntil(moment: string, now: number): number {
  return Math.floor((Date.parse(moment) - now) / DAY)
}
