const DAY = 24 * 60 * 60_000

/** Returns the whole days until `moment`; 0 on the last day, negative afterwards. */
export function daysUntil(moment: string, now: number): number {
  return Math.floor((Date.parse(moment) - now) / DAY)
}
