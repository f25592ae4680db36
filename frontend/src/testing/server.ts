import { delay, http, HttpResponse, type JsonBodyType } from 'msw'
import { setupServer } from 'msw/node'

import type { ActivityEvent, Binding, Disconnected, Refreshed, Tenant } from '@/api/types'

import { pageOf } from './activity'

/** The service, as far as the page can tell. It knows nothing until a test says so. */
export const server = setupServer()

const API = '*/api/integrations/xero'

/** `NEVER`: the answer does not come. */
export const NEVER = Symbol('never')

type Answer = JsonBodyType | Response | typeof NEVER

function answering(answer: Answer) {
  return async () => {
    if (answer === NEVER) {
      await delay('infinite')
      return undefined
    }
    return answer instanceof Response ? answer.clone() : HttpResponse.json(answer)
  }
}

/** A refusal as the service words it (RFC 9457). */
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

/** What happened, newest first, a page at a time; the queries are kept. */
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

export function givenActivityAnswer(answer: Answer): void {
  server.use(http.get(`${API}/activity`, answering(answer)))
}

/** The organisation's bindings; those that a test disconnects or connects are remembered. */
export function givenBindings(...bindings: Binding[]): Binding[] {
  server.use(
    http.get(`${API}/bindings`, ({ request }) => {
      const revoked = new URL(request.url).searchParams.get('status') === 'revoked'
      return HttpResponse.json({
        bindings: bindings.filter(({ status }) => (status === 'revoked') === revoked),
        hasActiveBindings: bindings.some(({ status }) => status === 'active'),
      })
    }),
  )
  return bindings
}

export function givenBindingsAnswer(answer: Answer): void {
  server.use(http.get(`${API}/bindings`, answering(answer)))
}

/** What a grant reaches; without a grant's name, what every grant reaches. */
export function givenTenants(tenants: Tenant[], grantId?: string): void {
  server.use(
    http.get(`${API}/tenants/list`, ({ request }) => {
      const asked = new URL(request.url).searchParams.get('grantId')
      if (grantId !== undefined && asked !== grantId) return undefined
      return HttpResponse.json({ grantId: asked, tenants })
    }),
  )
}

export function givenTenantsAnswer(answer: Answer): void {
  server.use(http.get(`${API}/tenants/list`, answering(answer)))
}

/** Selecting succeeds with this binding, which is in the list from then on. */
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

export function givenSelectAnswer(answer: Answer): void {
  server.use(http.post(`${API}/tenants/select`, answering(answer)))
}

/** Disconnecting succeeds and takes the binding out of the list. */
export function givenDisconnectSucceeds(
  list: Binding[],
  remoteCleanup: Disconnected['remoteCleanup'] = 'done',
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

export function givenDisconnectAnswer(answer: Answer): void {
  server.use(http.post(`${API}/disconnect`, answering(answer)))
}

/** What refreshing brings; the requests are counted. */
export function givenRefresh(answer: Refreshed | Response | typeof NEVER): Request[] {
  const requests: Request[] = []
  const reply = answering(answer)
  server.use(
    http.post(`${API}/refresh`, ({ request }) => {
      requests.push(request)
      return reply()
    }),
  )
  return requests
}

/** Starting a consent; the requests are kept. */
export function givenStart(
  answer: Answer = {
    authorizationUrl: 'https://login.example.com/authorize?state=s',
    expiresAt: '2026-11-21T10:10:00Z',
  },
): Request[] {
  const requests: Request[] = []
  const reply = answering(answer)
  server.use(
    http.get(`${API}/start`, ({ request }) => {
      requests.push(request)
      return reply()
    }),
  )
  return requests
}
