import { useFormats } from '@/messages'

/** A relative time such as "3 hours ago"; the title shows the exact time. */
export function RelativeTime({ moment, now }: { moment: string; now: number }) {
  const { dateTime, relativeTime } = useFormats()
  return (
    <time dateTime={moment} title={dateTime(moment)} className="whitespace-nowrap">
      {relativeTime(moment, now)}
    </time>
  )
}

/** A date such as "14 Nov 2026"; the title shows the exact time. */
export function CalendarDate({ moment }: { moment: string }) {
  const { date, dateTime } = useFormats()
  return (
    <time dateTime={moment} title={dateTime(moment)} className="whitespace-nowrap">
      {date(moment)}
    </time>
  )
}
