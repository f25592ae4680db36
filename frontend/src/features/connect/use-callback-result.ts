import { useCallback, useEffect, useState } from 'react'

import { removeUrlParams, useUrlParams } from '@/lib/url-params'

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
  const search = useUrlParams()
  const [error, setError] = useState<string | null>(null)

  const errorParam = search.get('error')
  if (errorParam !== null && errorParam !== error) setError(errorParam)
  const hasStaleParams = errorParam !== null || (search.has('action') && !grantIdFrom(search))
  useEffect(() => {
    if (hasStaleParams) removeUrlParams(CALLBACK_PARAMS)
  }, [hasStaleParams])

  const clear = useCallback(() => {
    setError(null)
    removeUrlParams(CALLBACK_PARAMS)
  }, [])

  return { grantId: errorParam === null ? grantIdFrom(search) : null, error, clear }
}

function grantIdFrom(search: URLSearchParams): string | null {
  return search.get('action') === 'select_tenant' ? search.get('grantId') : null
}
