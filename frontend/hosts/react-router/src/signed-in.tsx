import { XeroServiceProvider, XeroTokenRefresher } from '@xero-service/react'
import { Outlet, useNavigate } from 'react-router'
import { Toaster } from 'sonner'

import { useSession } from './session' // your identity provider

import '@xero-service/react/styles.css'

/** The layout of the signed-in routes. */
export function SignedIn() {
  const { orgId, userId, isAdmin, getToken } = useSession()
  const navigate = useNavigate()
  return (
    <XeroServiceProvider
      apiUrl={import.meta.env.VITE_XERO_SERVICE_URL}
      orgId={orgId}
      userId={userId}
      isAdmin={isAdmin}
      getToken={getToken}
    >
      <XeroTokenRefresher
        settingsUrl="/settings/integrations"
        onOpenSettings={() => void navigate('/settings/integrations')}
      />
      <Outlet />
      <Toaster theme="system" />
    </XeroServiceProvider>
  )
}
