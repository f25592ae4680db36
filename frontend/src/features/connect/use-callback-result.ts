import { useCallback, useEffect, useState } from 'react'
import { useSearchParams } from 'react-router'

/** What the service's callback put into the address. */
export interface ReturnFromXero {
  /** The grant to choose an organisation from. It stays in the address until settled. */
  grantId: string | null
  /** Why there is none. It leaves the address at once and is kept here until dismissed. */
  error: string | null
  settle: () => void
}

const OURS = ['action', 'grantId', 'error']

/**
 * Reads the way back from Xero. While the choice is open a reload asks again; once it is
 * settled, reload, "back" and a shared link find the plain page.
 */
export function useReturnFromXero(): ReturnFromXero {
  const [search, setSearch] = useSearchParams()
  const [error, setError] = useState<string | null>(null)

  const clean = useCallback(() => {
    setSearch(
      (before) => {
        const rest = new URLSearchParams(before)
        for (const name of OURS) rest.delete(name)
        return rest
      },
      { replace: true, preventScrollReset: true },
    )
  }, [setSearch])

  const arrived = search.get('error')
  if (arrived !== null && arrived !== error) setError(arrived)
  const leftovers = arrived !== null || (search.has('action') && !choosing(search))
  useEffect(() => {
    if (leftovers) clean()
  }, [leftovers, clean])

  const settle = useCallback(() => {
    setError(null)
    clean()
  }, [clean])

  return { grantId: arrived === null ? choosing(search) : null, error, settle }
}

function choosing(search: URLSearchParams): string | null {
  return search.get('action') === 'select_tenant' ? search.get('grantId') : null
}
