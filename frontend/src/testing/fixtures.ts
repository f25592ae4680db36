import type { Binding, Health, RefreshResult, Tenant } from '@/api/types'

/** Sample responses of the service; a test sets only the fields that matter to it. */

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** Counted from the call: the module outlives a test file. */
export function ago(milliseconds: number): string {
  return new Date(Date.now() - milliseconds).toISOString()
}

export const minutes = (count: number) => count * MINUTE
export const days = (count: number) => count * DAY

export function health(change: Partial<Health> = {}): Health {
  return {
    state: 'healthy',
    accessTokenExpiresAt: ago(-minutes(24.5)),
    refreshTokenExpiresAt: ago(-days(59.9)),
    lastRefreshedAt: ago(minutes(5)),
    lastError: null,
    ...change,
  }
}

export function binding(change: Partial<Binding> = {}): Binding {
  return {
    id: 'b0000000-0000-4000-8000-000000000001',
    tenantId: 't0000000-0000-4000-8000-000000000001',
    tenantName: 'Acme Trading Ltd',
    tenantType: 'ORGANISATION',
    status: 'active',
    grantId: 'g0000000-0000-4000-8000-000000000001',
    connectedBy: {
      userId: 'user_acme_admin',
      xeroName: 'Acme bookkeeper',
      xeroEmail: 'acme.bookkeeper@example.com',
    },
    createdAt: ago(days(18)),
    updatedAt: ago(minutes(5)),
    lastUsedAt: ago(minutes(3)),
    lastCheckedAt: ago(minutes(8)),
    permissions: {
      granted: ['openid', 'profile', 'email', 'accounting.settings.read', 'offline_access'],
      missing: [],
    },
    health: health(),
    limits: { dayRemaining: 4973, minuteRemaining: 58 },
    ...change,
  }
}

export const services = binding({
  id: 'b0000000-0000-4000-8000-000000000002',
  tenantId: 't0000000-0000-4000-8000-000000000002',
  tenantName: 'Acme Services Ltd',
  lastUsedAt: null,
})

export const expiring = binding({
  id: 'b0000000-0000-4000-8000-000000000003',
  tenantId: 't0000000-0000-4000-8000-000000000003',
  tenantName: 'Demo Company (NZ)',
  lastUsedAt: ago(days(48)),
  health: health({
    state: 'expiring',
    accessTokenExpiresAt: ago(days(48)),
    refreshTokenExpiresAt: ago(-days(12.2)),
    lastRefreshedAt: ago(days(48)),
  }),
})

export const retrying = binding({
  id: 'b0000000-0000-4000-8000-000000000004',
  tenantId: 't0000000-0000-4000-8000-000000000004',
  tenantName: 'Acme Holdings Ltd',
  health: health({ state: 'retrying', lastError: 'xero_unavailable' }),
})

export const lost = binding({
  id: 'b0000000-0000-4000-8000-000000000005',
  tenantId: 't0000000-0000-4000-8000-000000000005',
  tenantName: 'Acme Exports Ltd',
  status: 'needs_reauth',
  grantId: 'g0000000-0000-4000-8000-000000000002',
  lastUsedAt: ago(days(2)),
  health: health({
    state: 'needs_reauth',
    accessTokenExpiresAt: ago(days(2)),
    lastRefreshedAt: ago(days(3)),
    lastError: 'invalid_grant',
  }),
})

export const suspended = binding({
  id: 'b0000000-0000-4000-8000-000000000006',
  tenantId: 't0000000-0000-4000-8000-000000000006',
  tenantName: 'Acme Archive Ltd',
  status: 'suspended',
})

/** Lacks a permission that the app asks for by now. */
export const narrow = binding({
  id: 'b0000000-0000-4000-8000-000000000007',
  tenantId: 't0000000-0000-4000-8000-000000000007',
  tenantName: 'Acme Payroll Ltd',
  lastCheckedAt: null,
  permissions: {
    granted: ['openid', 'offline_access', 'accounting.contacts.read', 'something.new'],
    missing: ['accounting.banktransactions'],
  },
  limits: { dayRemaining: null, minuteRemaining: null },
})

/** "Branch 1 Ltd" to "Branch 200 Ltd". */
export const twoHundred: Binding[] = Array.from({ length: 200 }, (_, index) =>
  binding({
    id: `b0000000-0000-4000-8000-${String(1000 + index).padStart(12, '0')}`,
    tenantName: `Branch ${index + 1} Ltd`,
  }),
)

export function tenant(change: Partial<Tenant> = {}): Tenant {
  return {
    tenantId: 't0000000-0000-4000-8000-000000000001',
    tenantName: 'Acme Trading Ltd',
    tenantType: 'ORGANISATION',
    justAuthorised: false,
    availability: 'available',
    bindingId: null,
    ...change,
  }
}

/** An available tenant, and the binding that selecting it creates. */
export const offeredDemo = tenant({ tenantId: 't-demo', tenantName: 'Demo Company (NZ)' })
export const demo = binding({
  id: 'b-demo',
  tenantId: offeredDemo.tenantId,
  tenantName: offeredDemo.tenantName,
})

/** "Auckland Branch Ltd" and nine more. */
export const manyTenants: Tenant[] = [
  'Auckland',
  'Brisbane',
  'Cardiff',
  'Dunedin',
  'Edinburgh',
  'Fremantle',
  'Geelong',
  'Hamilton',
  'Invercargill',
  'Jersey',
].map((town, index) =>
  tenant({
    tenantId: `t0000000-0000-4000-8000-0000000001${String(index).padStart(2, '0')}`,
    tenantName: `${town} Branch Ltd`,
  }),
)

export function refreshed(change: Partial<RefreshResult> = {}): RefreshResult {
  return { success: true, hasActiveBindings: true, refreshedCount: 0, errors: [], ...change }
}
