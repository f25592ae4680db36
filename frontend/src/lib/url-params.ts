import { useMemo, useSyncExternalStore } from 'react'

/**
 * The query parameters of the window's URL. The features read and change them here, without a
 * router, so that they work in a host application with any router.
 */

const listeners = new Set<() => void>()

function subscribe(onChange: () => void): () => void {
  listeners.add(onChange)
  window.addEventListener('popstate', onChange)
  return () => {
    listeners.delete(onChange)
    window.removeEventListener('popstate', onChange)
  }
}

/** Returns the parameters; empty while a server renders. */
export function useUrlParams(): URLSearchParams {
  const search = useSyncExternalStore(
    subscribe,
    () => window.location.search,
    () => '',
  )
  return useMemo(() => new URLSearchParams(search), [search])
}

/** Removes parameters from the URL. The history entry and its state, which is the host's, stay. */
export function removeUrlParams(names: readonly string[]): void {
  const url = new URL(window.location.href)
  for (const name of names) url.searchParams.delete(name)
  if (url.href === window.location.href) return
  window.history.replaceState(window.history.state, '', url)
  for (const listener of listeners) listener()
}
