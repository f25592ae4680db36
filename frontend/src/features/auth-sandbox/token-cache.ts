import type { SandboxIssuer } from './sandbox-issuer'

/** How long a token is cached; it is valid for one minute. */
const TTL_MS = 50_000

interface CachedToken {
  token: Promise<string>
  expiresAt: number
}

/** Caches the session's tokens, one per org, in memory; concurrent callers share one request. */
export class TokenCache {
  readonly #issuer: SandboxIssuer
  readonly #sessionId: string
  readonly #cached = new Map<string | null, CachedToken>()

  constructor(issuer: SandboxIssuer, sessionId: string) {
    this.#issuer = issuer
    this.#sessionId = sessionId
  }

  get(orgId: string | null, fresh: boolean): Promise<string> {
    const cached = this.#cached.get(orgId)
    if (cached && !fresh && cached.expiresAt > performance.now()) return cached.token
    const token = this.#issuer.token(this.#sessionId, orgId)
    const next = { token, expiresAt: performance.now() + TTL_MS }
    this.#cached.set(orgId, next)
    token.catch(() => {
      if (this.#cached.get(orgId) === next) this.#cached.delete(orgId)
    })
    return token
  }
}

/** Returns the token's subject, unverified: only for display. */
export function subjectOf(token: string): string | null {
  const payload = token.split('.')[1] ?? ''
  const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')))
  return typeof claims === 'object' && claims !== null && 'sub' in claims
    ? String(claims.sub)
    : null
}
