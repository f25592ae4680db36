import { XeroServiceProvider, XeroTokenRefresher, type XeroToast } from '@xero-service/react'
import type { ReactNode } from 'react'

import { useSession } from './session' // your identity provider

import '@xero-service/react/styles.css'

interface XeroProps {
  children: ReactNode
  /** Shows a message with the application's own toasts. */
  onToast: (toast: XeroToast) => void
}

/** Around the signed-in part of the application, outside of what an organisation switch remounts. */
export function Xero({ children, onToast }: XeroProps) {
  const { orgId, userId, isAdmin, getToken } = useSession()
  return (
    <XeroServiceProvider
      apiUrl={import.meta.env.VITE_XERO_SERVICE_URL}
      orgId={orgId}
      userId={userId}
      isAdmin={isAdmin}
      getToken={getToken}
      onToast={onToast}
    >
      <XeroTokenRefresher settingsUrl="/settings/integrations" />
      {children}
    </XeroServiceProvider>
  )
}
