import { http, HttpResponse } from 'msw'
import { expect, it, vi } from 'vitest'

import { problem, server } from '@/testing/server'

import { createApi } from './client'
import { ApiProblem } from './problem'

const BINDINGS = '*/api/integrations/xero/bindings'
const answer = { bindings: [], hasActiveBindings: false }

const ask = (getToken: () => Promise<string | null>) =>
  createApi(getToken, 'org_acme').GET('/api/integrations/xero/bindings')

async function failure(promise: Promise<unknown>): Promise<ApiProblem> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof ApiProblem)) throw new Error('expected an ApiProblem')
  return error
}

it("speaks for the organisation with its own session's token", async () => {
  const getToken = vi.fn(() => Promise.resolve('token-1'))
  const said = vi.fn()
  server.use(
    http.get(BINDINGS, ({ request }) => {
      said(request.headers.get('Authorization'))
      return HttpResponse.json(answer)
    }),
  )

  const { data } = await ask(getToken)

  expect(data).toEqual(answer)
  expect(said).toHaveBeenCalledExactlyOnceWith('Bearer token-1')
  expect(getToken).toHaveBeenCalledExactlyOnceWith('org_acme', undefined)
})

it('tries once more with a fresh token when one came too late', async () => {
  const getToken = vi.fn((_: string | null, options?: { fresh?: boolean }) =>
    Promise.resolve(options?.fresh ? 'fresh' : 'stale'),
  )
  server.use(
    http.get(BINDINGS, ({ request }) =>
      request.headers.get('Authorization') === 'Bearer fresh'
        ? HttpResponse.json(answer)
        : problem(401, 'unauthorized', 'The session token has expired.'),
    ),
  )

  const { data } = await createApi(getToken, 'org_acme').GET('/api/integrations/xero/bindings')

  expect(data).toEqual(answer)
})

it('gives up when the fresh token is refused too', async () => {
  let asked = 0
  server.use(
    http.get(BINDINGS, () => {
      asked += 1
      return problem(401, 'unauthorized', 'Sign in first.')
    }),
  )

  const { status, code, detail, requestId } = await failure(ask(() => Promise.resolve('token')))

  expect({ status, code, detail, requestId }).toEqual({
    status: 401,
    code: 'unauthorized',
    detail: 'Sign in first.',
    requestId: 'req-1',
  })
  expect(asked).toBe(2)
})

it("never shows a proxy's page as if the service had said it", async () => {
  server.use(http.get(BINDINGS, () => HttpResponse.html('<h1>Bad gateway</h1>', { status: 502 })))

  const { status, code, detail } = await failure(ask(() => Promise.resolve('token')))

  expect([status, code]).toEqual([502, 'unexpected_answer'])
  expect(detail).not.toContain('Bad gateway')
})

it('says that nothing was reached when nothing answered', async () => {
  server.use(http.get(BINDINGS, () => HttpResponse.error()))

  expect((await failure(ask(() => Promise.resolve('token')))).code).toBe('unreachable')
})

it('says so when no token can be had, and asks nothing', async () => {
  expect((await failure(ask(() => Promise.resolve(null)))).code).toBe('signed_out')
  expect((await failure(ask(() => Promise.reject(new Error('offline'))))).code).toBe('unreachable')
})
