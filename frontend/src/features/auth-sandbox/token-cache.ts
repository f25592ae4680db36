import type { SandboxIssuer } from './sandbox-issuer'

/** How long a token is used; the issuer gives it a minute. */
const USED_FOR = 50_000

interface Held {
  token: Promise<string>
  until: number
}

/** The session's tokens, one per org, in memory only; callers at the same moment share one. */
export class SessionTokens {
  readonly #issuer: SandboxIssuer
  readonly #sessionId: string
  readonly #held = new Map<string | null, Held>()

  constructor(issuer: SandboxIssuer, sessionId: string) {
    this.#issuer = issuer
    this.#sessionId = sessionId
  }

  get(orgId: string | null, fresh: boolean): Promise<string> {
    const held = this.#held.get(orgId)
    if (held && !fresh && held.until > performance.now()) return held.token
    const token = this.#issuer.token(this.#sessionId, orgId)
    const next = { token, until: performance.now() + USED_FOR }
    this.#held.set(orgId, next)
    token.catch(() => {
      if (this.#held.get(orgId) === next) this.#held.delete(orgId)
    })
    return token
  }
}

/** Whose token it is. Only to show a name: nobody is trusted on the strength of this. */
export function subjectOf(token: string): string | null {
  const payload = token.split('.')[1] ?? ''
  const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')))
  return typeof claims === 'object' && claims !== null && 'sub' in claims
    ? String(claims.sub)
    : null
}
