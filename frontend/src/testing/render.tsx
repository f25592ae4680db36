import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { render } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { useLocation } from 'react-router'
import { MemoryRouter } from 'react-router'
import type { ReactNode } from 'react'

import { ApiContext } from '@/api/api-context'
import { createApi } from '@/api/client'
import { Toaster } from '@/components/toaster'
import { AuthContext, type AuthAdapter, type Org } from '@/lib/auth'
import { MessagesProvider } from '@/messages'

export const ACME_ADMIN: Org = { id: 'org_acme', name: 'Acme', role: 'admin' }
export const ACME_MEMBER: Org = { id: 'org_acme', name: 'Acme', role: 'member' }

/** The URL to which the callback redirects after a consent. */
export const CALLBACK_URL = '/settings/integrations?action=select_tenant&grantId=g1'

export const getToken = () => Promise.resolve('session-token')

const noop = () => Promise.resolve()

/** A session that never ends. */
const auth: AuthAdapter = {
  session: {
    status: 'signed-in',
    user: { id: 'user_acme_admin', name: 'Acme admin', email: 'admin@acme.example.com' },
    org: ACME_ADMIN,
  },
  orgs: [ACME_ADMIN],
  getToken,
  switchOrg: noop,
  signIn: noop,
  signOut: noop,
}

/** Renders with the page's providers: session, API client, query cache, router and toasts. */
export function renderWithApp(ui: ReactNode, { at = '/settings/integrations' } = {}) {
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const api = createApi(getToken, 'org_acme')
  let address = ''
  const Address = () => {
    const { pathname, search } = useLocation()
    address = pathname + search
    return null
  }
  const view = render(
    <MemoryRouter initialEntries={[at]}>
      <Address />
      <MessagesProvider locale="en-GB">
        <AuthContext value={auth}>
          <QueryClientProvider client={queryClient}>
            <ApiContext value={api}>{ui}</ApiContext>
          </QueryClientProvider>
        </AuthContext>
        <Toaster />
      </MessagesProvider>
    </MemoryRouter>,
  )
  return { ...view, user: userEvent.setup(), queryClient, address: () => address }
}
