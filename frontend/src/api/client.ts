import createClient, { type Client } from 'openapi-fetch'

import type { GetToken, TokenOptions } from '@/lib/auth'

import { ApiProblem } from './problem'
import type { paths } from './schema'

export type Api = Client<paths>

interface ApiOptions {
  /** The service's origin; empty if it is the page's own. */
  apiUrl: string
  /** The organisation whose data the client reads; without one, every request fails. */
  orgId: string | null
  getToken: GetToken
}

/** Creates a client for one organisation; every failure is thrown as an `ApiProblem`. */
export function createApi(options: ApiOptions): Api {
  return createClient<paths>({
    baseUrl: options.apiUrl || pageOrigin(),
    headers: { Accept: 'application/json' },
    fetch: (request) => sendWithRetry(request, options),
  })
}

/** Returns the page's origin; empty while a server renders, which sends no requests. */
function pageOrigin(): string {
  return typeof window === 'undefined' ? '' : window.location.origin
}

async function sendWithRetry(request: Request, options: ApiOptions): Promise<Response> {
  const retryRequest = request.clone()
  let response = await sendWithToken(request, await requireToken(options))
  // A session token lives for one minute, so a refused one may just have expired.
  if (response.status === 401) {
    response = await sendWithToken(retryRequest, await requireToken(options, { fresh: true }))
  }
  if (!response.ok) throw await ApiProblem.from(response)
  return response
}

async function requireToken(
  { orgId, getToken }: ApiOptions,
  tokenOptions?: TokenOptions,
): Promise<string> {
  let token: string | null
  try {
    token = orgId === null ? null : await getToken(orgId, tokenOptions)
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
