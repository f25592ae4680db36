import { useCallback, useInsertionEffect, useRef } from 'react'

/**
 * Returns a function that never changes and calls the `callback` of the latest render. Effects and
 * other callbacks call it; rendering must not.
 */
export function useStableCallback<Args extends unknown[], Result>(
  callback: (...args: Args) => Result,
): (...args: Args) => Result {
  const latest = useRef(callback)
  // Runs before the effects of this component and of its children.
  useInsertionEffect(() => {
    latest.current = callback
  })
  return useCallback((...args: Args) => latest.current(...args), [])
}
