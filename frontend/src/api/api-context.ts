import { createContext, use } from 'react'

import type { Api } from './client'

export const ApiContext = createContext<Api | null>(null)

/** The client of the organisation that is active. */
export function useApi(): Api {
  const api = use(ApiContext)
  if (!api) throw new Error('useApi needs an ApiContext above it')
  return api
}
