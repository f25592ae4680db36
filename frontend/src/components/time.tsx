import { formatDateTime, formatRelative, formatDate } from '@/lib/time'

/** A relative time such as "3 hours ago"; the title shows the exact time. */
export function RelativeTime({ moment, now }: { moment: string; now: number }) {
  return (
    <time dateTime={moment} title={formatDateTime(moment)}>
      {formatRelative(moment, now)}
    </time>
  )
}

/** A date such as "14 Nov 2026"; the title shows the exact time. */
export function CalendarDate({ moment }: { moment: string }) {
  return (
    <time dateTime={moment} title={formatDateTime(moment)}>
      {formatDate(moment)}
    </time>
  )
}
