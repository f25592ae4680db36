import { useCallback, useEffect, useState } from 'react'
import { useSearchParams } from 'react-router'

/** The result of a consent, from the query parameters that the service's callback set. */
export interface CallbackResult {
  /** The grant to choose an organisation from. It stays in the URL until cleared. */
  grantId: string | null
  /** The error code. It is removed from the URL at once and kept in state until cleared. */
  error: string | null
  clear: () => void
}

const CALLBACK_PARAMS = ['action', 'grantId', 'error']

/**
 * Reads the callback's query parameters. While the dialog is open, a reload opens it again; after
 * `clear`, a reload, "back" and a shared link open the page without it.
 */
export function useCallbackResult(): CallbackResult {
  const [search, setSearch] = useSearchParams()
  const [error, setError] = useState<string | null>(null)

  const removeParams = useCallback(() => {
    setSearch(
      (before) => {
        const rest = new URLSearchParams(before)
        for (const name of CALLBACK_PARAMS) rest.delete(name)
        return rest
      },
      { replace: true, preventScrollReset: true },
    )
  }, [setSearch])

  const errorParam = search.get('error')
  if (errorParam !== null && errorParam !== error) setError(errorParam)
  const hasStaleParams = errorParam !== null || (search.has('action') && !grantIdFrom(search))
  useEffect(() => {
    if (hasStaleParams) removeParams()
  }, [hasStaleParams, removeParams])

  const clear = useCallback(() => {
    setError(null)
    removeParams()
  }, [removeParams])

  return { grantId: errorParam === null ? grantIdFrom(search) : null, error, clear }
}

function grantIdFrom(search: URLSearchParams): string | null {
  return search.get('action') === 'select_tenant' ? search.get('grantId') : null
}
