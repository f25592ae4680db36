import { QueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, type ReactNode } from 'react'

import type { GetToken } from '@/lib/auth'
import { showWithSonner, type ShowToast } from '@/lib/toasts'
import { useStableCallback } from '@/lib/use-stable-callback'
import { MessagesProvider, useMessages, type MessageOverrides } from '@/messages'

import { createApi } from './client'
import { ApiProblem } from './problem'
import { XeroServiceContext, type XeroService } from './xero-service'

export interface XeroServiceProviderProps {
  /** The connection service's origin; empty if it is the page's own. */
  apiUrl: string
  /** The active organisation of the session; null while there is none. */
  orgId: string | null
  /** True if the user is an admin of the organisation. The service checks it again. */
  isAdmin: boolean
  /**
   * Returns a session token for the organisation; null if the session has ended. With `fresh`,
   * the service has just refused a token, so a cached one will not do.
   */
  getToken: GetToken
  /** The organisation's name, for the texts. */
  orgName?: string | undefined
  /** The signed-in user's id: the activity then says "You". */
  userId?: string | undefined
  /** A BCP 47 tag such as `en-NZ`; by default the browser's locale. */
  locale?: string | undefined
  /** An IANA name such as `Pacific/Auckland`; by default the browser's time zone. */
  timeZone?: string | undefined
  /** Texts in place of ours. Keep the object across renders; give `locale` with another language. */
  messages?: MessageOverrides | undefined
  /** Shows a toast. By default sonner does, and its `<Toaster />` must be mounted. */
  onToast?: ShowToast | undefined
  children?: ReactNode
}

/**
 * Provides the API client, the query cache, the toasts and the texts for one organisation. Switching creates
 * new ones, so that one organisation's data never shows in another.
 */
export function XeroServiceProvider({
  locale,
  timeZone,
  messages,
  ...session
}: XeroServiceProviderProps) {
  return (
    <MessagesProvider messages={messages} locale={locale} timeZone={timeZone}>
      <OrgService {...session} />
    </MessagesProvider>
  )
}

type OrgServiceProps = Omit<XeroServiceProviderProps, 'locale' | 'timeZone' | 'messages'>

function OrgService({
  apiUrl,
  orgId,
  isAdmin,
  getToken,
  orgName,
  userId,
  onToast = showWithSonner,
  children,
}: OrgServiceProps) {
  const { parts } = useMessages()
  const latestGetToken = useStableCallback(getToken)
  const showToast = useStableCallback(onToast)
  const session = useMemo(
    () => ({
      orgId,
      userId: userId ?? null,
      api: createApi({ apiUrl, orgId, getToken: latestGetToken }),
      queryClient: createQueryClient(),
    }),
    [apiUrl, orgId, userId, latestGetToken],
  )
  // Refetches when the window gets the focus and when the network is back.
  useEffect(() => {
    session.queryClient.mount()
    return () => session.queryClient.unmount()
  }, [session.queryClient])
  const service = useMemo<XeroService>(
    () => ({ ...session, orgName: orgName ?? parts.yourOrganisation, isAdmin, showToast }),
    [session, orgName, parts, isAdmin, showToast],
  )
  return <XeroServiceContext.Provider value={service}>{children}</XeroServiceContext.Provider>
}

function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      // Offline requests fail at once, so that the page can show an error.
      mutations: { networkMode: 'always' },
      queries: {
        networkMode: 'always',
        staleTime: 5_000,
        // Retries only network errors and 5xx.
        retry: (failures, error) =>
          failures < 2 &&
          error instanceof ApiProblem &&
          (error.status === 0 || error.status >= 500),
      },
    },
  })
}
