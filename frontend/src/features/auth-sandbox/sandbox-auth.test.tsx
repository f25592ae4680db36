import { act, render, screen } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { http, HttpResponse } from 'msw'
import { expect, it, vi } from 'vitest'

import { useAuth, type AuthAdapter } from '@/lib/auth'
import { expectAccessible } from '@/testing/axe'
import { givenIssuer, givenRememberedSession, ISSUER } from '@/testing/issuer'
import { server } from '@/testing/server'

import { sandboxAuth } from './sandbox-auth'

function load() {
  const { AuthProvider, SignInScreen } = sandboxAuth(ISSUER)
  const seen: { auth: AuthAdapter | null } = { auth: null }
  const Inside = () => {
    const auth = useAuth()
    seen.auth = auth
    const { session } = auth
    if (session.status === 'signed-out') return <SignInScreen />
    if (session.status !== 'signed-in') return <p>{session.status}</p>
    return (
      <p>
        {session.user.name} in {session.org?.name ?? 'none'} as {session.org?.role ?? 'nobody'}
      </p>
    )
  }
  const view = render(
    <AuthProvider>
      <Inside />
    </AuthProvider>,
  )
  const auth = () => {
    if (!seen.auth) throw new Error('nothing rendered yet')
    return seen.auth
  }
  return { ...view, auth, user: userEvent.setup() }
}

const stored = () => [...Object.entries(sessionStorage), ...Object.entries(localStorage)]

it('signs in as a sample user, in their only organisation', async () => {
  givenIssuer()
  const { user } = load()

  expect(screen.getByRole('status', { name: 'Loading the sample people' })).toBeVisible()
  const admin = await screen.findByRole('button', { name: 'Acme admin' })
  expect(admin).toHaveAccessibleDescription('Admin of Acme')
  await expectAccessible()
  await user.click(admin)

  expect(await screen.findByText('Acme admin in Acme as admin')).toBeVisible()
})

it('leaves the choice to a user of several organisations', async () => {
  givenIssuer()
  const { user, auth } = load()

  await user.click(await screen.findByRole('button', { name: 'Accountant' }))
  expect(await screen.findByText('Accountant in none as nobody')).toBeVisible()
  expect(auth().orgs.map(({ name }) => name)).toEqual(['Acme', 'Globex'])

  await act(() => auth().switchOrg('org_globex'))
  expect(screen.getByText('Accountant in Globex as admin')).toBeVisible()
})

it('restores the session and the organisation after a page load', async () => {
  givenIssuer({ sess_1: 'user_accountant' })
  givenRememberedSession('sess_1', 'org_globex')
  load()

  expect(screen.getByText('loading')).toBeVisible()
  expect(await screen.findByText('Accountant in Globex as admin')).toBeVisible()
})

it('stores the session and the organisation, and never a token', async () => {
  givenIssuer()
  const { user, auth } = load()
  await user.click(await screen.findByRole('button', { name: 'Acme admin' }))
  await screen.findByText(/Acme admin in/)
  const token = await auth().getToken('org_acme')

  expect(stored()).toEqual([
    ['sandbox-session', JSON.stringify({ sessionId: 'sess_user_acme_admin', orgId: 'org_acme' })],
  ])
  expect(JSON.stringify(stored())).not.toContain(token)
})

it('caches a token for each organisation, for less than its lifetime', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const issuer = givenIssuer({ sess_1: 'user_accountant' })
  givenRememberedSession('sess_1', 'org_acme')
  const { auth } = load()
  await screen.findByText(/Accountant in Acme/)
  issuer.tokens.length = 0

  const [one, other] = await Promise.all([auth().getToken('org_acme'), auth().getToken('org_acme')])
  expect(one).toBe(other)
  await auth().getToken('org_globex')
  expect(issuer.tokens.map(({ orgId }) => orgId)).toEqual(['org_acme', 'org_globex'])

  vi.advanceTimersByTime(49_000)
  expect(await auth().getToken('org_acme')).toBe(one)
  vi.advanceTimersByTime(2_000)
  expect(await auth().getToken('org_acme')).not.toBe(one)

  await auth().getToken('org_acme', { fresh: true })
  expect(issuer.tokens).toHaveLength(4)
  vi.useRealTimers()
})

it('asks to sign in again when the stored session has ended', async () => {
  givenIssuer()
  givenRememberedSession('sess_gone', 'org_acme')
  load()

  expect(await screen.findByText('Your session has ended')).toBeVisible()
  expect(await screen.findByRole('button', { name: 'Acme admin' })).toBeVisible()
  expect(stored()).toEqual([])
  await expectAccessible()
})

it('asks to sign in again when the session ends during use', async () => {
  const issuer = givenIssuer({ sess_1: 'user_acme_admin' })
  givenRememberedSession('sess_1', 'org_acme')
  const { auth } = load()
  await screen.findByText(/Acme admin in/)

  issuer.sessions.clear()
  expect(await act(() => auth().getToken('org_acme'))).toBeNull()

  expect(await screen.findByText('Your session has ended')).toBeVisible()
})

it('keeps the session when the issuer is unreachable', async () => {
  givenIssuer({ sess_1: 'user_acme_admin' })
  givenRememberedSession('sess_1', 'org_acme')
  const { auth } = load()
  await screen.findByText(/Acme admin in/)

  server.use(http.post(`${ISSUER}/tokens`, () => HttpResponse.error()))

  await expect(auth().getToken('org_acme')).rejects.toThrow()
  expect(screen.getByText(/Acme admin in/)).toBeVisible()
})

it('shows that the issuer is unreachable on load', async () => {
  server.use(
    http.get(`${ISSUER}/people`, () => HttpResponse.error()),
    http.post(`${ISSUER}/tokens`, () => HttpResponse.error()),
  )
  givenRememberedSession('sess_1', 'org_acme')
  load()

  expect(await screen.findByText('unreachable')).toBeVisible()
  expect(stored()).toHaveLength(1)
})

it('lists the people after a retry that works', async () => {
  server.use(http.get(`${ISSUER}/people`, () => HttpResponse.error()))
  const { user } = load()
  expect(await screen.findByRole('alert')).toHaveTextContent('The sandbox cannot be reached')
  await expectAccessible()

  givenIssuer()
  await user.click(screen.getByRole('button', { name: 'Try again' }))

  expect(await screen.findByRole('button', { name: 'Acme member' })).toBeVisible()
})

it('signs out here and at the issuer', async () => {
  const issuer = givenIssuer({ sess_1: 'user_acme_admin' })
  givenRememberedSession('sess_1', 'org_acme')
  const { auth } = load()
  await screen.findByText(/Acme admin in/)

  await act(() => auth().signOut())

  expect(issuer.sessions.size).toBe(0)
  expect(stored()).toEqual([])
  expect(await auth().getToken('org_acme')).toBeNull()
  expect(screen.queryByText('Your session has ended')).not.toBeInTheDocument()
})
