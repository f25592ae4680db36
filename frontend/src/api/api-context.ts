import { createContext, use } from 'react'

import type { Api } from './client'

export const ApiContext = createContext<Api | null>(null)

/** Returns the API client of the active organisation. */
export function useApi(): Api {
  const api = use(ApiContext)
  if (!api) throw new Error('useApi needs an ApiContext above it')
  return api
}
