import type { Messages } from './catalogue'

/** Returns what failed and what to do: the catalogue's text for the code, else the service's. */
export function problemText(
  { problems }: Messages,
  { code, status, detail }: { code: string; status: number; detail: string },
): string {
  const text = Object.hasOwn(problems, code) ? problems[code] : undefined
  return (text ?? detail).replace('{status}', String(status))
}
