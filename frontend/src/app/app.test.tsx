import { act, render, screen, within } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { http, HttpResponse } from 'msw'
import { beforeEach, describe, expect, it } from 'vitest'

import { expectAccessible } from '@/testing/axe'
import { binding, refreshed } from '@/testing/fixtures'
import { givenIssuer, givenRememberedSession, ISSUER } from '@/testing/issuer'
import { givenActivity, givenBindings, givenRefresh, server } from '@/testing/server'
import { sentence } from '@/testing/sentence'

import { App } from './app'

const AT = '/settings/integrations'

function givenHostKnowsIssuer() {
  server.use(http.get('*/sandbox.json', () => HttpResponse.json({ sessionIssuer: ISSUER })))
}

async function open(path = AT) {
  window.history.replaceState(null, '', path)
  // The app renders after it has loaded the auth module.
  const view = await act(async () => Promise.resolve(render(<App />)))
  return { ...view, user: userEvent.setup() }
}

const organisations = () => screen.findByRole('combobox', { name: 'Organisation' })
const authorised = (requests: Request[]) =>
  requests.map((request) => {
    const claims = request.headers.get('Authorization')?.split('.')[1] ?? ''
    return (JSON.parse(atob(claims)) as { sub: string }).sub
  })

beforeEach(() => {
  givenHostKnowsIssuer()
  givenActivity()
})

describe('where sign-in is not configured', () => {
  it.each([
    ['the host has no such file', () => new HttpResponse(null, { status: 404 })],
    ['the host answers with the page', () => HttpResponse.html('<!doctype html>')],
    ['the host cannot be reached', () => HttpResponse.error()],
    ['the file says something else', () => HttpResponse.json({ hello: 'there' })],
  ])('shows that: %s', async (_, answer) => {
    server.use(http.get('*/sandbox.json', answer))
    await open()

    expect(await screen.findByRole('heading', { name: 'Sign-in is not configured' })).toBeVisible()
    await expectAccessible()
  })
})

it('redirects / to the page and shows "not found" elsewhere', async () => {
  givenIssuer()
  const { unmount } = await open('/')
  expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeVisible()
  expect(window.location.pathname).toBe(AT)
  unmount()

  await open('/elsewhere')
  expect(screen.getByRole('heading', { name: 'Page not found' })).toBeVisible()
  expect(screen.getByRole('link', { name: 'Go to integrations' })).toHaveAttribute('href', AT)
})

it('signs in, shows the page, and signs out again', async () => {
  givenIssuer()
  givenBindings(binding())
  givenRefresh(refreshed())
  const { user } = await open()

  await user.click(await screen.findByRole('button', { name: 'Acme admin' }))
  expect(await screen.findByRole('listitem', { name: 'Acme Trading Ltd' })).toBeVisible()
  expect(await organisations()).toHaveDisplayValue('Acme')
  await expectAccessible()

  await user.click(screen.getByRole('button', { name: 'Sign out' }))
  expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeVisible()
})

it('asks for an organisation if the user has several', async () => {
  givenIssuer({ sess_1: 'user_accountant' })
  givenRememberedSession('sess_1', null)
  givenBindings(binding())
  givenRefresh(refreshed())
  const { user } = await open()

  expect(await screen.findByRole('heading', { name: 'Choose an organisation' })).toBeVisible()
  await expectAccessible()
  await user.click(screen.getByRole('button', { name: /Globex/ }))

  expect(await screen.findByText(sentence('What Globex is connected to'))).toBeVisible()
})

it('shows that sign-in cannot be reached', async () => {
  server.use(
    http.get(`${ISSUER}/people`, () => HttpResponse.error()),
    http.post(`${ISSUER}/tokens`, () => HttpResponse.error()),
  )
  givenRememberedSession('sess_1', 'org_acme')
  await open()

  expect(await screen.findByRole('alert')).toHaveTextContent(
    'We could not find out whether you are signed in',
  )
  await expectAccessible()
})

describe('switching the organisation', () => {
  it('refreshes once for each organisation and never shows one in the other', async () => {
    const issuer = givenIssuer({ sess_1: 'user_accountant' })
    givenRememberedSession('sess_1', 'org_acme')
    givenBindings(binding())
    const refreshes = givenRefresh(refreshed())
    const { user } = await open()
    await screen.findByRole('listitem', { name: 'Acme Trading Ltd' })
    await expect.poll(() => refreshes.length).toBe(1)

    let answer: (response: Response) => void = () => undefined
    server.use(
      http.get(
        '*/api/integrations/xero/bindings',
        () => new Promise<Response>((resolve) => (answer = resolve)),
      ),
    )
    await user.selectOptions(await organisations(), 'Globex')

    expect(screen.queryByText('Acme Trading Ltd')).not.toBeInTheDocument()
    expect(screen.getByRole('status', { name: 'Loading connections' })).toBeVisible()
    await expect.poll(() => refreshes.length).toBe(2)
    await expect.poll(() => issuer.tokens.map(({ orgId }) => orgId)).toContain('org_globex')
    answer(HttpResponse.json({ bindings: [], hasActiveBindings: false, pending: null }))
    expect(await screen.findByText('No Xero organisation connected')).toBeVisible()
    expect(refreshes).toHaveLength(2)
    expect(authorised(refreshes)).toEqual(['user_accountant', 'user_accountant'])
  })

  it('reloads the list after a refresh on arrival', async () => {
    givenIssuer({ sess_1: 'user_acme_admin' })
    givenRememberedSession('sess_1', 'org_acme')
    let looked = 0
    server.use(
      http.get('*/api/integrations/xero/bindings', ({ request }) => {
        if (!request.url.includes('revoked')) looked += 1
        return HttpResponse.json({ bindings: [binding()], hasActiveBindings: true, pending: null })
      }),
    )
    givenRefresh(refreshed({ refreshedCount: 1 }))
    await open()

    expect(await screen.findByText('Xero connection refreshed')).toBeInTheDocument()
    await expect.poll(() => looked).toBe(2)
  })
})

it('asks to sign in again when the session has ended, and keeps the URL', async () => {
  const issuer = givenIssuer({ sess_1: 'user_acme_admin' })
  givenRememberedSession('sess_1', 'org_acme')
  issuer.sessions.clear()
  givenBindings()
  givenRefresh(refreshed())
  server.use(
    http.get('*/api/integrations/xero/tenants/list', () =>
      HttpResponse.json({ grantId: 'g1', tenants: [] }),
    ),
  )
  const { user } = await open(`${AT}?action=select_tenant&grantId=g1`)

  expect(await screen.findByText('Your session has ended')).toBeVisible()
  await user.click(await screen.findByRole('button', { name: 'Acme admin' }))

  const dialog = await screen.findByRole('dialog', { name: 'Select a Xero organisation' })
  expect(within(dialog).getByRole('button', { name: 'Cancel' })).toBeVisible()
})
