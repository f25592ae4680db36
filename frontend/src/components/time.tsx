import { exactly, inWords, onDay } from '@/lib/time'

/** "3 hours ago", with the exact time to hand. */
export function Ago({ moment, now }: { moment: string; now: number }) {
  return (
    <time dateTime={moment} title={exactly(moment)}>
      {inWords(moment, now)}
    </time>
  )
}

/** "14 Nov 2026", with the exact time to hand. */
export function Day({ moment }: { moment: string }) {
  return (
    <time dateTime={moment} title={exactly(moment)}>
      {onDay(moment)}
    </time>
  )
}
