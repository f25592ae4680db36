import { delay, http, HttpResponse, type JsonBodyType } from 'msw'
import { setupServer } from 'msw/node'

import type { ActivityEvent, Binding, DisconnectResult, RefreshResult, Tenant } from '@/api/types'

import { pageOf } from './activity'

/** The mocked service. It has no handlers until a test adds them. */
export const server = setupServer()

const API = '*/api/integrations/xero'

/** The response never arrives. */
export const NEVER = Symbol('never')

type MockResponse = JsonBodyType | Response | typeof NEVER

function respondWith(answer: MockResponse) {
  return async () => {
    if (answer === NEVER) {
      await delay('infinite')
      return undefined
    }
    return answer instanceof Response ? answer.clone() : HttpResponse.json(answer)
  }
}

/** Returns a problem document as the service sends it (RFC 9457). */
export function problem(status: number, code: string, detail: string): Response {
  return HttpResponse.json(
    {
      type: `urn:xero-service:problem:${code}`,
      title: code,
      status,
      code,
      detail,
      requestId: 'req-1',
    },
    { status, headers: { 'Content-Type': 'application/problem+json' } },
  )
}

/** Mocks the activity, newest first, in pages; returns the queries received. */
export function givenActivity(...events: ActivityEvent[]): URLSearchParams[] {
  const asked: URLSearchParams[] = []
  server.use(
    http.get(`${API}/activity`, ({ request }) => {
      const query = new URL(request.url).searchParams
      asked.push(query)
      return HttpResponse.json(pageOf(events, query))
    }),
  )
  return asked
}

export function givenActivityAnswer(answer: MockResponse): void {
  server.use(http.get(`${API}/activity`, respondWith(answer)))
}

/** Mocks the organisation's bindings; a test changes the returned array. */
export function givenBindings(...bindings: Binding[]): Binding[] {
  server.use(
    http.get(`${API}/bindings`, ({ request }) => {
      const revoked = new URL(request.url).searchParams.get('status') === 'revoked'
      return HttpResponse.json({
        bindings: bindings.filter(({ status }) => (status === 'revoked') === revoked),
        hasActiveBindings: bindings.some(({ status }) => status === 'active'),
        pending: null,
      })
    }),
  )
  return bindings
}

export function givenBindingsAnswer(answer: MockResponse): void {
  server.use(http.get(`${API}/bindings`, respondWith(answer)))
}

/** Mocks the tenants of one grant; without `grantId`, of every grant. */
export function givenTenants(tenants: Tenant[], grantId?: string): void {
  server.use(
    http.get(`${API}/tenants/list`, ({ request }) => {
      const asked = new URL(request.url).searchParams.get('grantId')
      if (grantId !== undefined && asked !== grantId) return undefined
      return HttpResponse.json({ grantId: asked, tenants })
    }),
  )
}

export function givenTenantsAnswer(answer: MockResponse): void {
  server.use(http.get(`${API}/tenants/list`, respondWith(answer)))
}

/** Mocks a successful selection, which adds the binding to `list`; returns the bodies received. */
export function givenSelectSucceeds(selected: Binding, list: Binding[] = []): unknown[] {
  const bodies: unknown[] = []
  server.use(
    http.post(`${API}/tenants/select`, async ({ request }) => {
      bodies.push(await request.json())
      if (!list.includes(selected)) list.push(selected)
      return HttpResponse.json(selected, { status: 201 })
    }),
  )
  return bodies
}

export function givenSelectAnswer(answer: MockResponse): void {
  server.use(http.post(`${API}/tenants/select`, respondWith(answer)))
}

/** Mocks a successful disconnect, which removes the binding from `list`. */
export function givenDisconnectSucceeds(
  list: Binding[],
  remoteCleanup: DisconnectResult['remoteCleanup'] = 'done',
): void {
  server.use(
    http.post(`${API}/disconnect`, async ({ request }) => {
      const { tenantBindingId } = (await request.json()) as { tenantBindingId: string }
      const index = list.findIndex(({ id }) => id === tenantBindingId)
      const [gone] = list.splice(index, 1)
      return HttpResponse.json({ binding: gone, grantRevoked: list.length === 0, remoteCleanup })
    }),
  )
}

export function givenDisconnectAnswer(answer: MockResponse): void {
  server.use(http.post(`${API}/disconnect`, respondWith(answer)))
}

/** Mocks the refresh; returns the requests received. */
export function givenRefresh(answer: RefreshResult | Response | typeof NEVER): Request[] {
  const requests: Request[] = []
  const reply = respondWith(answer)
  server.use(
    http.post(`${API}/refresh`, ({ request }) => {
      requests.push(request)
      return reply()
    }),
  )
  return requests
}

/** Mocks the start of a consent; returns the requests received. */
export function givenStart(
  answer: MockResponse = {
    authorizationUrl: 'https://login.example.com/authorize?state=s',
    expiresAt: '2026-11-21T10:10:00Z',
  },
): Request[] {
  const requests: Request[] = []
  const reply = respondWith(answer)
  server.use(
    http.get(`${API}/start`, ({ request }) => {
      requests.push(request)
      return reply()
    }),
  )
  return requests
}
