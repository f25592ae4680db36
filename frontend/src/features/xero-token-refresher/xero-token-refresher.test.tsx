import { render, screen } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { StrictMode } from 'react'
import { beforeEach, expect, it, vi } from 'vitest'

import { XeroServiceProvider, type XeroServiceProviderProps } from '@/api/xero-service-provider'
import { Toaster } from '@/components/ui/sonner'
import { refreshed } from '@/testing/fixtures'
import { givenRefresh, NEVER, problem } from '@/testing/server'

import { XeroTokenRefresher, type XeroTokenRefresherProps } from './xero-token-refresher'

type Service = Pick<XeroServiceProviderProps, 'orgId' | 'getToken'>

const signedIn = (orgId: string | null): Service => ({
  orgId,
  getToken: (asked) => Promise.resolve(`token of ${asked}`),
})

const settled = () => new Promise((resolve) => setTimeout(resolve, 50))

function mount(service: Service, props: XeroTokenRefresherProps = {}, apiUrl = '') {
  const page = (now: Service) => (
    <StrictMode>
      <XeroServiceProvider {...now} apiUrl={apiUrl} isAdmin>
        <XeroTokenRefresher {...props} />
      </XeroServiceProvider>
      <Toaster />
    </StrictMode>
  )
  const { rerender, ...view } = render(page(service))
  return { ...view, show: (next: Service) => rerender(page(next)) }
}

const toasts = () => screen.queryAllByText(/Xero connection/)

beforeEach(() => window.history.replaceState(null, '', '/dashboard'))

it('sends one request on arrival, however often it renders', async () => {
  const requests = givenRefresh(refreshed())
  const { show } = mount(signedIn('org_acme'))
  for (let render = 0; render < 5; render += 1) {
    await settled()
    show(signedIn('org_acme'))
  }
  await settled()

  expect(requests).toHaveLength(1)
  expect(requests[0]?.method).toBe('POST')
  expect(requests[0]?.headers.get('Authorization')).toBe('Bearer token of org_acme')
})

it('sends one request for each switch, with the token of the new organisation', async () => {
  const requests = givenRefresh(refreshed())
  const { show } = mount(signedIn('org_acme'))
  await settled()
  show(signedIn('org_globex'))
  await settled()
  show(signedIn('org_acme'))
  await settled()

  expect(requests.map(({ headers }) => headers.get('Authorization'))).toEqual([
    'Bearer token of org_acme',
    'Bearer token of org_globex',
    'Bearer token of org_acme',
  ])
})

it('asks the token function of the render that switched', async () => {
  const requests = givenRefresh(refreshed())
  const { show } = mount(signedIn('org_acme'))
  await settled()
  show({ orgId: 'org_globex', getToken: () => Promise.resolve('token of the new session') })
  await settled()

  expect(requests[1]?.headers.get('Authorization')).toBe('Bearer token of the new session')
})

it('aborts the request in progress when the organisation changes', async () => {
  const requests = givenRefresh(NEVER)
  const { show } = mount(signedIn('org_acme'))
  await expect.poll(() => requests.length).toBe(1)

  show(signedIn('org_globex'))

  await expect.poll(() => requests.length).toBe(2)
  expect(requests.map(({ signal }) => signal.aborted)).toEqual([true, false])
})

it('sends no request for an organisation that was left before its token arrived', async () => {
  const requests = givenRefresh(refreshed())
  const slow = { ...signedIn('org_acme'), getToken: () => settled().then(() => 'late') }
  const { show } = mount(slow)
  show(signedIn('org_globex'))
  await settled()
  await settled()

  expect(requests.map(({ headers }) => headers.get('Authorization'))).toEqual([
    'Bearer token of org_globex',
  ])
})

it.each([
  ['no organisation is active', signedIn(null)],
  ['the session has ended', { ...signedIn('org_acme'), getToken: () => Promise.resolve(null) }],
  [
    'no token can be had',
    { ...signedIn('org_acme'), getToken: () => Promise.reject(new Error('offline')) },
  ],
])('sends no request and shows no toast when %s', async (_, service) => {
  const requests = givenRefresh(refreshed({ refreshedCount: 1 }))
  mount(service)
  await settled()

  expect(requests).toHaveLength(0)
  expect(toasts()).toHaveLength(0)
})

it('sends no request and shows no toast when offline', async () => {
  vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
  const requests = givenRefresh(refreshed({ refreshedCount: 1 }))
  mount(signedIn('org_acme'))
  await settled()

  expect(requests).toHaveLength(0)
  expect(toasts()).toHaveLength(0)
})

it('shows that tokens were refreshed', async () => {
  givenRefresh(refreshed({ refreshedCount: 2 }))
  mount(signedIn('org_acme'))

  expect(await screen.findByText('Xero connection refreshed')).toBeInTheDocument()
})

it('shows that a connection needs attention, with a link to the settings', async () => {
  const errors = [{ bindingId: 'b', error: 'reauthorization_required' }]
  givenRefresh(refreshed({ success: false, refreshedCount: 1, errors }))
  const onOpenSettings = vi.fn()
  mount(signedIn('org_acme'), { settingsUrl: '/somewhere', onOpenSettings })

  expect(await screen.findByText('Xero connection needs attention')).toBeInTheDocument()
  expect(toasts()).toHaveLength(1)
  const link = screen.getByRole('link', { name: 'Open settings' })
  expect(link).toHaveAttribute('href', '/somewhere')
  await userEvent.click(link)
  expect(onOpenSettings).toHaveBeenCalledOnce()
})

it('shows no link to the settings on the settings page', async () => {
  window.history.replaceState(null, '', '/settings/integrations')
  const errors = [{ bindingId: 'b', error: 'reauthorization_required' }]
  givenRefresh(refreshed({ success: false, errors }))
  mount(signedIn('org_acme'))

  expect(await screen.findByText('Xero connection needs attention')).toBeInTheDocument()
  expect(screen.queryByRole('link')).not.toBeInTheDocument()
})

it.each([
  ['everything was fresh', refreshed()],
  ['nothing is connected', refreshed({ hasActiveBindings: false })],
  ['the service has trouble of its own', problem(503, 'service_busy', 'Busy')],
  ['the session was refused', problem(401, 'unauthorized', 'Sign in first')],
])('shows no toast when %s', async (_, answer) => {
  const requests = givenRefresh(answer)
  mount(signedIn('org_acme'))
  await expect.poll(() => requests.length).toBeGreaterThan(0)
  await settled()

  expect(toasts()).toHaveLength(0)
})

it('sends the request to `apiUrl`', async () => {
  const requests = givenRefresh(refreshed())
  mount(signedIn('org_acme'), {}, 'https://connections.example.com')

  await expect
    .poll(() => requests[0]?.url)
    .toBe('https://connections.example.com/api/integrations/xero/refresh')
})
