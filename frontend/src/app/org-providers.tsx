import type { ReactNode } from 'react'

import { XeroServiceProvider } from '@/api/xero-service-provider'
import { XeroTokenRefresher } from '@/features/xero-token-refresher/xero-token-refresher'
import { useAuth, type Org, type User } from '@/lib/auth'

import { SETTINGS } from './paths'

/** The service's origin: the page's own, unless the build sets another. */
const API_URL = import.meta.env.VITE_API_URL ?? ''

interface OrgProvidersProps {
  org: Org
  user: User
  children: ReactNode
}

/** Provides the connection service for the active organisation, and keeps its tokens fresh. */
export function OrgProviders({ org, user, children }: OrgProvidersProps) {
  const { getToken } = useAuth()
  return (
    <XeroServiceProvider
      apiUrl={API_URL}
      orgId={org.id}
      orgName={org.name}
      userId={user.id}
      isAdmin={org.role === 'admin'}
      getToken={getToken}
    >
      <XeroTokenRefresher settingsUrl={SETTINGS} />
      {children}
    </XeroServiceProvider>
  )
}
