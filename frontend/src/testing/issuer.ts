import { http, HttpResponse } from 'msw'

import { SAMPLE_PEOPLE } from './sample-people'
import { server } from './server'

/** The URL of the mocked session issuer. */
export const ISSUER = 'http://localhost:9000/session'

export interface Issuer {
  /** User ids by session id; deleting one ends the session. */
  sessions: Map<string, string>
  /** Every token request. */
  tokens: { sessionId: string; orgId: string | null }[]
}

/** Mocks a running issuer; `sessions` are those opened before the page load. */
export function givenIssuer(sessions: Record<string, string> = {}): Issuer {
  const issuer: Issuer = { sessions: new Map(Object.entries(sessions)), tokens: [] }
  server.use(
    http.get(`${ISSUER}/people`, () => HttpResponse.json(SAMPLE_PEOPLE)),
    http.post(`${ISSUER}/sign-in`, async ({ request }) => {
      const { personId } = (await request.json()) as { personId: string }
      const sessionId = `sess_${personId}`
      issuer.sessions.set(sessionId, personId)
      return HttpResponse.json({ sessionId })
    }),
    http.post(`${ISSUER}/tokens`, async ({ request }) => {
      const asked = (await request.json()) as { sessionId: string; orgId: string | null }
      issuer.tokens.push(asked)
      const personId = issuer.sessions.get(asked.sessionId)
      if (personId === undefined) return new HttpResponse(null, { status: 401 })
      const claims = btoa(JSON.stringify({ sub: personId, n: issuer.tokens.length }))
      return HttpResponse.json({ token: `header.${claims}.signature`, expiresAt: 0 })
    }),
    http.delete(`${ISSUER}/sessions/:id`, ({ params }) => {
      issuer.sessions.delete(String(params['id']))
      return new HttpResponse(null, { status: 204 })
    }),
  )
  return issuer
}

/** Stores a session as a tab does before a reload. */
export function givenRememberedSession(sessionId: string, orgId: string | null): void {
  sessionStorage.setItem('sandbox-session', JSON.stringify({ sessionId, orgId }))
}
