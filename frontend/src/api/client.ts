import createClient, { type Client } from 'openapi-fetch'

import type { AuthAdapter } from '@/lib/auth'

import { ApiProblem } from './problem'
import type { paths } from './schema'

export type Api = Client<paths>

/** Where the service lives: the page's own origin, unless the build says otherwise. */
export const API_URL = import.meta.env.VITE_API_URL ?? ''

/** A client that speaks for one organisation; every failure is an `ApiProblem`. */
export function createApi(getToken: AuthAdapter['getToken'], orgId: string): Api {
  return createClient<paths>({
    baseUrl: API_URL || window.location.origin,
    headers: { Accept: 'application/json' },
    fetch: (request) => send(request, getToken, orgId),
  })
}

async function send(
  request: Request,
  getToken: AuthAdapter['getToken'],
  orgId: string,
): Promise<Response> {
  const again = request.clone()
  let response = await attempt(request, await tokenFor(orgId, getToken))
  // A session token lives for a minute: one refused may only have been late.
  if (response.status === 401) {
    response = await attempt(again, await tokenFor(orgId, getToken, { fresh: true }))
  }
  if (!response.ok) throw await ApiProblem.from(response)
  return response
}

async function tokenFor(
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

async function attempt(request: Request, token: string): Promise<Response> {
  request.headers.set('Authorization', `Bearer ${token}`)
  try {
    return await fetch(request)
  } catch (error) {
    if (request.signal.aborted) throw error
    throw ApiProblem.unreachable()
  }
}
