import { useCallback, useEffect, useState } from 'react'

import { removeUrlParams, useUrlParams } from '@/lib/url-params'

/** The result of a consent, and a mail's link, from the URL's query parameters. */
export interface CallbackResult {
  /** The grant to choose an organisation from. It stays in the URL until cleared. */
  grantId: string | null
  /** The binding that the consent was meant for and does not reach, beside `grantId`. */
  unreachedId: string | null
  /** The binding that the consent reconnected. It stays in the URL until cleared. */
  reconnectedId: string | null
  /** The binding whose consent a link asks for. It stays in the URL until cleared. */
  reconnectId: string | null
  /** The error code. It is removed from the URL at once and kept in state until cleared. */
  error: string | null
  clear: () => void
}

const PARAMS = ['action', 'grantId', 'unreached', 'bindingId', 'reconnect', 'error']

/**
 * Reads the query parameters. While the dialog is open, a reload opens it again; after `clear`, a
 * reload, "back" and a shared link open the page without it.
 */
export function useCallbackResult(): CallbackResult {
  const search = useUrlParams()
  const [error, setError] = useState<string | null>(null)

  const errorParam = search.get('error')
  if (errorParam !== null && errorParam !== error) setError(errorParam)
  const result = errorParam === null ? resultFrom(search) : NOTHING
  const isStale = result === NOTHING && (errorParam !== null || search.has('action'))
  useEffect(() => {
    if (isStale) removeUrlParams(PARAMS)
  }, [isStale])

  const clear = useCallback(() => {
    setError(null)
    removeUrlParams(PARAMS)
  }, [])

  return { ...result, error, clear }
}

type Result = Pick<CallbackResult, 'grantId' | 'unreachedId' | 'reconnectedId' | 'reconnectId'>

const NOTHING: Result = {
  grantId: null,
  unreachedId: null,
  reconnectedId: null,
  reconnectId: null,
}

function resultFrom(search: URLSearchParams): Result {
  const action = search.get('action')
  const grantId = search.get('grantId')
  const bindingId = search.get('bindingId')
  if (action === 'select_tenant' && grantId) {
    return { ...NOTHING, grantId, unreachedId: search.get('unreached') }
  }
  if (action === 'reconnected' && bindingId) return { ...NOTHING, reconnectedId: bindingId }
  const reconnectId = search.get('reconnect')
  return action === null && reconnectId ? { ...NOTHING, reconnectId } : NOTHING
}
