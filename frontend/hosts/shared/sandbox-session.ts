/**
 * Stands in for a host's identity provider: the sample accountant, an admin of two organisations,
 * signed in at the sandbox's session issuer without a password.
 */

export const USER_ID = 'user_accountant'

export const ORGS = [
  { id: 'org_acme', name: 'Acme' },
  { id: 'org_globex', name: 'Globex' },
]

const SESSION = 'host-session'
const ORG = 'host-org'

export class SandboxSession {
  readonly #issuer: string
  readonly #listeners = new Set<() => void>()

  constructor(issuer: string) {
    this.#issuer = issuer
  }

  subscribe = (onChange: () => void): (() => void) => {
    this.#listeners.add(onChange)
    return () => this.#listeners.delete(onChange)
  }

  orgId = (): string => sessionStorage.getItem(ORG) ?? 'org_acme'

  switchOrg = (orgId: string): void => {
    sessionStorage.setItem(ORG, orgId)
    for (const listener of this.#listeners) listener()
  }

  getToken = async (orgId: string): Promise<string> => {
    const sessionId = sessionStorage.getItem(SESSION) ?? (await this.#signIn())
    const { token } = (await this.#post('/tokens', { sessionId, orgId })) as { token: string }
    return token
  }

  async #signIn(): Promise<string> {
    const { sessionId } = (await this.#post('/sign-in', { personId: USER_ID })) as {
      sessionId: string
    }
    sessionStorage.setItem(SESSION, sessionId)
    return sessionId
  }

  async #post(path: string, body: object): Promise<unknown> {
    const response = await fetch(this.#issuer + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`The session issuer answered ${String(response.status)}`)
    return response.json()
  }
}
