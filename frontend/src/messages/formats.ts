/** Formats of one locale and time zone. A moment is an ISO 8601 string of the service. */
export interface Formats {
  /** "14 Nov 2026" */
  date: (moment: string) => string
  /** "14 Nov 2026, 10:30:00 UTC" */
  dateTime: (moment: string) => string
  /** "3 hours ago", "yesterday", "in 12 days"; beyond a month, the date. */
  relativeTime: (moment: string, now: number) => string
  number: (value: number) => string
  /** "Acme Trading Ltd, Acme Services Ltd and Globex Ltd" */
  list: (items: readonly string[]) => string
}

interface FormatOptions {
  /** The host's; without it the browser's. */
  locale: string | undefined
  timeZone: string | undefined
  justNow: string
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export function createFormats({ locale, timeZone, justNow }: FormatOptions): Formats {
  const zone = timeZone === undefined ? {} : { timeZone }
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', ...zone })
  const exact = new Intl.DateTimeFormat(locale, {
    dateStyle: 'medium',
    timeStyle: 'long',
    ...zone,
  })
  const language = locale ?? wordsLocale(day.resolvedOptions().locale)
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  const conjunction = new Intl.ListFormat(language, { type: 'conjunction' })
  const decimal = new Intl.NumberFormat(locale)
  const date = (moment: string) => day.format(Date.parse(moment))

  return {
    date,
    dateTime: (moment) => exact.format(Date.parse(moment)),
    relativeTime: (moment, now) => {
      const distance = Date.parse(moment) - now
      const away = Math.abs(distance)
      if (away < MINUTE) return justNow
      if (away < HOUR) return relative.format(Math.trunc(distance / MINUTE), 'minute')
      if (away < DAY) return relative.format(Math.trunc(distance / HOUR), 'hour')
      if (away < 30 * DAY) return relative.format(Math.trunc(distance / DAY), 'day')
      return date(moment)
    },
    number: (value) => decimal.format(value),
    list: (items) => conjunction.format(items),
  }
}

/**
 * The locale of what stands as words inside a sentence. Without a host's locale the sentences are
 * English, so a German browser reads "14.11.2026", and "3 hours ago" in place of "vor 3 Stunden".
 */
function wordsLocale(browser: string): string {
  return new Intl.Locale(browser).language === 'en' ? browser : 'en'
}
