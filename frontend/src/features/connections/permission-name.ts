import type { Messages } from '@/messages'

/** Returns a scope of Xero in words; null for one that this page does not know. */
export function permissionName(
  { names, readOnly }: Messages['connections']['permissions'],
  scope: string,
): string | null {
  const nameOf = (key: string) =>
    Object.hasOwn(names, key) ? names[key as keyof typeof names] : null
  const own = nameOf(scope)
  if (own !== null || !scope.endsWith('.read')) return own
  const written = nameOf(scope.replace(/\.read$/, ''))
  return written === null ? null : readOnly(written)
}
