import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Controls the sandbox: what happens at Xero, and which faults it injects. */
export const SERVICE = process.env['XERO_SERVICE_URL'] ?? ''
export const SANDBOX = process.env['XERO_SANDBOX_URL'] ?? ''
const API = `${SERVICE}/api/integrations/xero`

/** The sandbox's sample users and organisations. */
export const XERO = {
  acmeBookkeeper: { key: 'xero-user-1', name: 'Acme bookkeeper' },
  globexBookkeeper: { key: 'xero-user-2', name: 'Globex bookkeeper' },
  accountant: { key: 'xero-user-3', name: 'Sample accountant' },
  acmeTrading: '20000000-0000-4000-8000-000000000001',
  globex: '20000000-0000-4000-8000-000000000004',
} as const

interface Fault {
  kind: string
  fault: string
  when?: 'before' | 'after'
  times?: number | null
  changes?: Record<string, unknown>
}

async function ask(method: string, address: string, body?: object, token?: string) {
  const response = await fetch(address, {
    method,
    headers: {
      ...(body && { 'Content-Type': 'application/json' }),
      ...(token && { Authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${method} ${address}: ${response.status}`)
  return response.status === 204 ? null : ((await response.json()) as unknown)
}

const control = (path: string, body: object) => ask('POST', `${SANDBOX}/control${path}`, body)

/** Makes Xero fail from now on, `times` times. */
export const injectFault = (order: Fault) => control('/faults', order)
export const clearFaults = () => ask('DELETE', `${SANDBOX}/control/faults`)
export const setSwitches = (switches: object) => control('/switches', switches)

/** Runs `happen` while every token that Xero issues is due for renewal at once. */
export async function withShortLivedTokens(happen: () => Promise<void>): Promise<void> {
  const changes = { expires_in: 120 }
  await injectFault({ kind: 'token', fault: 'changed_fields', when: 'after', times: null, changes })
  await happen()
  await clearFaults()
}

export const disconnectInXero = (xeroUserId: string, tenantId: string) =>
  control('/disconnect', { xeroUserId, tenantId })

export const removeFromOrganisation = (xeroUserId: string, tenantId: string) =>
  control(`/users/${xeroUserId}/role`, { tenantId, role: null })

export const endSession = (sessionId: string) =>
  ask('DELETE', `${SANDBOX}/session/sessions/${sessionId}`)

/** Returns the fingerprints of every refresh token that the sandbox has issued. */
export async function refreshTokenFingerprints(): Promise<string[]> {
  const tokens = (await ask('GET', `${SANDBOX}/control/tokens`)) as { fingerprint: string }[]
  return tokens.map(({ fingerprint }) => fingerprint)
}

/** Returns a token set in plain text, to prove that the search finds one. */
export async function sampleTokens(): Promise<{ accessToken: string; refreshToken: string }> {
  const seeded = (await control('/seed', { grants: 1 })) as {
    accessToken: string
    refreshToken: string
  }[]
  if (!seeded[0]) throw new Error('the sandbox seeded nothing')
  return seeded[0]
}

/** Returns a session token as the page would get it. */
export async function sessionToken(personId: string, orgId: string): Promise<string> {
  const session = `${SANDBOX}/session`
  const { sessionId } = (await ask('POST', `${session}/sign-in`, { personId })) as {
    sessionId: string
  }
  const { token } = (await ask('POST', `${session}/tokens`, {
    sessionId,
    orgId,
    azp: process.env['XERO_FRONTEND_URL'] ?? SERVICE,
  })) as { token: string }
  return token
}

/** Makes a change of demo/database_change.py in the service's database. */
function changeDatabase(change: string, ...values: string[]): void {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const python = process.env['STACK_PYTHON'] ?? 'python'
  execFileSync(python, ['-m', 'demo.database_change', change, ...values], { cwd: root })
}

export const expireAttempts = () => changeDatabase('expire-attempts')

/** Lets the service ask Xero again, which it does at most once a minute. */
export const forgetChecks = () => changeDatabase('forget-checks')

/** Makes every consent older than a scope that the app asks for. */
export const narrowGrants = (scope: string) => changeDatabase('narrow-grants', scope)

export interface SeededTenant {
  tenantId: string
  tenantName: string
  connectionId: string
}

/** Creates organisations in Xero, and connections of a Xero user to them. */
export async function seedTenants(xeroUserId: string, count: number): Promise<SeededTenant[]> {
  const seeded = (await control('/seed', { grants: count })) as SeededTenant[]
  return Promise.all(
    seeded.map(async ({ tenantId }, index) => {
      const tenantName = `Branch ${index + 1} Ltd`
      await control(`/orgs/${tenantId}`, { name: tenantName })
      await control(`/users/${xeroUserId}/role`, { tenantId, role: 'standard' })
      const connected = (await control('/connect', { xeroUserId, tenantId })) as SeededTenant
      return { tenantId, tenantName, connectionId: connected.connectionId }
    }),
  )
}

/** Runs `happen` while the tenants are bound as the newest binding is. */
export async function withBoundTenants(
  tenants: readonly SeededTenant[],
  happen: () => Promise<void>,
): Promise<void> {
  const rows = JSON.stringify(tenants)
  changeDatabase('bind-tenants', rows)
  try {
    await happen()
  } finally {
    changeDatabase('unbind-tenants', rows)
  }
}

interface Listed {
  bindings: { id: string; tenantName: string }[]
}

/** Returns the id of a binding of Acme, as services and mails name it. */
export async function bindingIdOf(tenantName: string): Promise<string> {
  const token = await sessionToken('user_acme_admin', 'org_acme')
  const { bindings } = (await ask('GET', `${API}/bindings`, undefined, token)) as Listed
  const found = bindings.find((binding) => binding.tenantName === tenantName)
  if (!found) throw new Error(`${tenantName} is not bound`)
  return found.id
}

const ADMINS = [
  ['user_acme_admin', 'org_acme'],
  ['user_globex_admin', 'org_globex'],
] as const

/** Removes every binding, fault and session. */
export async function resetStack(): Promise<void> {
  await clearFaults()
  for (const [personId, orgId] of ADMINS) {
    const token = await sessionToken(personId, orgId)
    const { bindings } = (await ask('GET', `${API}/bindings`, undefined, token)) as Listed
    for (const { id } of bindings) {
      await ask('POST', `${API}/disconnect`, { tenantBindingId: id }, token)
    }
  }
  await control('/reset', {})
}
