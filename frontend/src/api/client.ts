import createClient, { type Client } from 'openapi-fetch'

import type { AuthAdapter } from '@/lib/auth'

import { ApiProblem } from './problem'
import type { paths } from './schema'

export type Api = Client<paths>

/** The service's origin: the page's own, unless the build sets another. */
export const API_URL = import.meta.env.VITE_API_URL ?? ''

/** Creates a client for one organisation; every failure is thrown as an `ApiProblem`. */
export function createApi(getToken: AuthAdapter['getToken'], orgId: string): Api {
  return createClient<paths>({
    baseUrl: API_URL || window.location.origin,
    headers: { Accept: 'application/json' },
    fetch: (request) => sendWithRetry(request, getToken, orgId),
  })
}

async function sendWithRetry(
  request: Request,
  getToken: AuthAdapter['getToken'],
  orgId: string,
): Promise<Response> {
  const retryRequest = request.clone()
  let response = await sendWithToken(request, await requireToken(orgId, getToken))
  // A session token lives for one minute, so a refused one may just have expired.
  if (response.status === 401) {
    response = await sendWithToken(
      retryRequest,
      await requireToken(orgId, getToken, { fresh: true }),
    )
  }
  if (!response.ok) throw await ApiProblem.from(response)
  return response
}

async function requireToken(
  orgId: string,
  getToken: AuthAdapter['getToken'],
  options?: { fresh: boolean },
): Promise<string> {
  let token: string | null
  try {
    token = await getToken(orgId, options)
  } catch {
    throw ApiProblem.unreachable()
  }
  if (token === null) throw ApiProblem.signedOut()
  return token
}

async function sendWithToken(request: Request, token: string): Promise<Response> {
  request.headers.set('Authorization', `Bearer ${token}`)
  try {
    return await fetch(request)
  } catch (error) {
    if (request.signal.aborted) throw error
    throw ApiProblem.unreachable()
  }
}
