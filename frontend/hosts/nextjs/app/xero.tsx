'use client'

import { useAuth } from '@clerk/nextjs'
import { XeroServiceProvider, XeroTokenRefresher } from '@xero-service/react'
import { useRouter } from 'next/navigation'
import type { ReactNode } from 'react'

const SETTINGS = '/settings/integrations'

/** Connects the application to the Xero connection service for Clerk's active organisation. */
export function Xero({ children }: { children: ReactNode }) {
  const { orgId, orgRole, userId, getToken } = useAuth()
  const router = useRouter()
  return (
    <XeroServiceProvider
      apiUrl={process.env.NEXT_PUBLIC_XERO_SERVICE_URL!}
      orgId={orgId ?? null}
      userId={userId ?? undefined}
      isAdmin={orgRole === 'org:admin'}
      getToken={(organizationId, { fresh = false } = {}) =>
        getToken({ organizationId, skipCache: fresh })
      }
    >
      <XeroTokenRefresher settingsUrl={SETTINGS} onOpenSettings={() => router.push(SETTINGS)} />
      {children}
    </XeroServiceProvider>
  )
}
