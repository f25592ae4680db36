import type { QueryClient } from '@tanstack/react-query'
import { createContext, useContext } from 'react'

import type { ShowToast } from '@/lib/toasts'

import type { Api } from './client'

/** What the features need of the application around them: the page, or a host application. */
export interface XeroService {
  /** The API client of the active organisation. */
  api: Api
  /**
   * The cache of the active organisation. Every query and mutation names it, because a host may
   * have a query client of its own, or none.
   */
  queryClient: QueryClient
  /** Null while no organisation is active. */
  orgId: string | null
  /** The organisation's name, in sentences. */
  orgName: string
  /** The signed-in user, if the application tells. */
  userId: string | null
  isAdmin: boolean
  showToast: ShowToast
}

export const XeroServiceContext = createContext<XeroService | null>(null)

export function useXeroService(): XeroService {
  const service = useContext(XeroServiceContext)
  if (!service) throw new Error('A <XeroServiceProvider> is missing above this component.')
  return service
}
