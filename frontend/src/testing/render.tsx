import { QueryClient } from '@tanstack/react-query'
import { render } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import type { ReactNode } from 'react'

import { createApi } from '@/api/client'
import { XeroServiceContext } from '@/api/xero-service'
import { Toaster } from '@/components/ui/sonner'
import type { Org } from '@/lib/auth'
import { showWithSonner } from '@/lib/toasts'
import { MessagesProvider, type MessageOverrides } from '@/messages'

export const ACME_ADMIN: Org = { id: 'org_acme', name: 'Acme', role: 'admin' }
export const ACME_MEMBER: Org = { id: 'org_acme', name: 'Acme', role: 'member' }

/** The URL to which the callback redirects after a consent. */
export const CALLBACK_URL = '/settings/integrations?action=select_tenant&grantId=g1'

export const getToken = () => Promise.resolve('session-token')

interface RenderOptions {
  at?: string
  org?: Org
  messages?: MessageOverrides
}

/** Renders with what the features need around them: API client, query cache, URL and toasts. */
export function renderWithApp(
  ui: ReactNode,
  { at = '/settings/integrations', org = ACME_ADMIN, messages }: RenderOptions = {},
) {
  window.history.replaceState(null, '', at)
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const service = {
    api: createApi({ apiUrl: '', orgId: org.id, getToken }),
    queryClient,
    orgId: org.id,
    orgName: org.name,
    userId: 'user_acme_admin',
    isAdmin: org.role === 'admin',
    showToast: showWithSonner,
  }
  const view = render(
    <MessagesProvider locale="en-GB" messages={messages}>
      <XeroServiceContext.Provider value={service}>{ui}</XeroServiceContext.Provider>
      <Toaster />
    </MessagesProvider>,
  )
  const address = () => window.location.pathname + window.location.search
  return { ...view, user: userEvent.setup(), queryClient, address }
}
