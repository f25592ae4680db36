import { roleFrom, type Org, type User } from '@/lib/auth'

/** The sandbox's session issuer no longer knows the session. */
export class SessionEndedError extends Error {}

export interface SampleUser extends User {
  orgs: Org[]
}

interface UserResponse {
  id: string
  name: string
  email?: string | null
  orgs: { id: string; name: string; role: string }[]
}

/** Talks to the sandbox's session issuer, which signs sample people in without a password. */
export class SandboxIssuer {
  readonly #address: string

  constructor(address: string) {
    this.#address = address.replace(/\/+$/, '')
  }

  async people(): Promise<SampleUser[]> {
    const people = (await this.#ask('GET', '/people')) as UserResponse[]
    return people.map(({ id, name, email, orgs }) => ({
      id,
      name,
      email: email ?? null,
      orgs: orgs.map((org) => ({ id: org.id, name: org.name, role: roleFrom(org.role) })),
    }))
  }

  async signIn(userId: string): Promise<string> {
    const answer = (await this.#ask('POST', '/sign-in', { personId: userId })) as {
      sessionId: string
    }
    return answer.sessionId
  }

  async token(sessionId: string, orgId: string | null): Promise<string> {
    const answer = (await this.#ask('POST', '/tokens', { sessionId, orgId })) as { token: string }
    return answer.token
  }

  async signOut(sessionId: string): Promise<void> {
    await this.#ask('DELETE', `/sessions/${encodeURIComponent(sessionId)}`)
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(this.#address + path, {
      method,
      ...(body && {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
    })
    if (response.status === 401) throw new SessionEndedError()
    if (!response.ok) throw new Error(`The session issuer answered ${response.status}`)
    return response.status === 204 ? null : response.json()
  }
}
