import { useSyncExternalStore } from 'react'

const neverChanges = () => () => undefined

/** False while a server renders and while the browser takes over its HTML; then true. */
export function useIsHydrated(): boolean {
  return useSyncExternalStore(
    neverChanges,
    () => true,
    () => false,
  )
}
