import { http, HttpResponse } from 'msw'
import { expect, it, vi } from 'vitest'

import type { GetToken } from '@/lib/auth'
import { problem, server } from '@/testing/server'

import { createApi } from './client'
import { ApiProblem } from './problem'

const BINDINGS_URL = '*/api/integrations/xero/bindings'
const answer = { bindings: [], hasActiveBindings: false, pending: null }

const listBindings = (getToken: GetToken) =>
  createApi({ apiUrl: '', orgId: 'org_acme', getToken }).GET('/api/integrations/xero/bindings')

async function problemOf(promise: Promise<unknown>): Promise<ApiProblem> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof ApiProblem)) throw new Error('expected an ApiProblem')
  return error
}

it("sends the organisation's session token", async () => {
  const getToken = vi.fn(() => Promise.resolve('token-1'))
  const authorization = vi.fn()
  server.use(
    http.get(BINDINGS_URL, ({ request }) => {
      authorization(request.headers.get('Authorization'))
      return HttpResponse.json(answer)
    }),
  )

  const { data } = await listBindings(getToken)

  expect(data).toEqual(answer)
  expect(authorization).toHaveBeenCalledExactlyOnceWith('Bearer token-1')
  expect(getToken).toHaveBeenCalledExactlyOnceWith('org_acme', undefined)
})

it('retries once with a fresh token after a 401', async () => {
  const getToken = vi.fn((_: string | null, options?: { fresh?: boolean }) =>
    Promise.resolve(options?.fresh ? 'fresh' : 'stale'),
  )
  server.use(
    http.get(BINDINGS_URL, ({ request }) =>
      request.headers.get('Authorization') === 'Bearer fresh'
        ? HttpResponse.json(answer)
        : problem(401, 'unauthorized', 'The session token has expired.'),
    ),
  )

  const { data } = await listBindings(getToken)

  expect(data).toEqual(answer)
})

it('throws when the fresh token is refused too', async () => {
  let requests = 0
  server.use(
    http.get(BINDINGS_URL, () => {
      requests += 1
      return problem(401, 'unauthorized', 'Sign in first.')
    }),
  )

  const { status, code, detail, requestId } = await problemOf(
    listBindings(() => Promise.resolve('token')),
  )

  expect({ status, code, detail, requestId }).toEqual({
    status: 401,
    code: 'unauthorized',
    detail: 'Sign in first.',
    requestId: 'req-1',
  })
  expect(requests).toBe(2)
})

it("never shows a proxy's HTML as an error message", async () => {
  server.use(
    http.get(BINDINGS_URL, () => HttpResponse.html('<h1>Bad gateway</h1>', { status: 502 })),
  )

  const { status, code, detail } = await problemOf(listBindings(() => Promise.resolve('token')))

  expect([status, code]).toEqual([502, 'unexpected_answer'])
  expect(detail).not.toContain('Bad gateway')
})

it('throws "unreachable" when no response arrives', async () => {
  server.use(http.get(BINDINGS_URL, () => HttpResponse.error()))

  expect((await problemOf(listBindings(() => Promise.resolve('token')))).code).toBe('unreachable')
})

it('throws without a request when there is no token', async () => {
  expect((await problemOf(listBindings(() => Promise.resolve(null)))).code).toBe('signed_out')
  expect((await problemOf(listBindings(() => Promise.reject(new Error('offline'))))).code).toBe(
    'unreachable',
  )
})
