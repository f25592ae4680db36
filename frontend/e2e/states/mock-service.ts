import type { Page, Route } from '@playwright/test'

import type {
  ActivityEvent,
  Binding,
  PendingConsent,
  RefreshResult,
  Tenant,
} from '../../src/api/types'
import { pageOf } from '../../src/testing/activity'
import { SAMPLE_PEOPLE } from '../../src/testing/sample-people'

/** What the mocked service and session issuer answer. */
export interface MockState {
  person: 'admin' | 'member' | 'accountant' | null
  bindings: Binding[] | 'failing' | 'pending'
  pending: PendingConsent | null
  tenants: Tenant[] | 'failing' | 'foreign' | 'damaged' | 'ended' | 'pending'
  /** The bindings that selecting their tenants creates; other tenants are bound elsewhere. */
  selected: Binding[]
  refreshed: RefreshResult | 'failing'
  activity: ActivityEvent[] | 'failing' | 'pending'
  issuer: 'up' | 'down' | 'unknown'
}

const ISSUER = `${process.env['XERO_SANDBOX_URL'] ?? 'http://localhost:9000'}/session`
const SIGNED_IN = {
  admin: 'user_acme_admin',
  member: 'user_acme_member',
  accountant: 'user_accountant',
}

/** Mocks the service and the issuer; an unknown path fails the test. */
export async function mockService(page: Page, change: Partial<MockState> = {}): Promise<void> {
  const mocks: MockState = {
    person: 'admin',
    bindings: [],
    pending: null,
    tenants: [],
    selected: [],
    refreshed: { success: true, hasActiveBindings: true, refreshedCount: 0, errors: [] },
    activity: [],
    issuer: 'up',
    ...change,
  }
  await page.route('**/sandbox.json', (route) =>
    mocks.issuer === 'unknown'
      ? route.fulfill({ contentType: 'text/html', body: '<!doctype html>' })
      : route.fulfill({ json: { sessionIssuer: ISSUER } }),
  )
  await page.route(`${ISSUER}/**`, (route) => issuer(route, mocks))
  await page.route('**/api/integrations/xero/**', (route) => service(route, mocks))
  if (mocks.person) {
    const orgId = mocks.person === 'accountant' ? null : 'org_acme'
    const remembered = { sessionId: SIGNED_IN[mocks.person], orgId }
    await page.addInitScript(
      (session) => sessionStorage.setItem('sandbox-session', JSON.stringify(session)),
      remembered,
    )
  }
}

async function issuer(route: Route, mocks: MockState): Promise<void> {
  if (mocks.issuer === 'down') return route.abort('connectionrefused')
  const request = route.request()
  const path = new URL(request.url()).pathname.replace('/session', '')
  const headers = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': '*' }
  if (path === '/people') return route.fulfill({ headers, json: SAMPLE_PEOPLE })
  if (path === '/tokens') {
    const { sessionId } = request.postDataJSON() as { sessionId: string }
    const claims = Buffer.from(JSON.stringify({ sub: sessionId })).toString('base64url')
    return route.fulfill({ headers, json: { token: `h.${claims}.s`, expiresAt: 0 } })
  }
  if (path === '/sign-in') {
    const { personId } = request.postDataJSON() as { personId: string }
    return route.fulfill({ headers, json: { sessionId: personId } })
  }
  return route.fulfill({ headers, status: 204 })
}

async function service(route: Route, mocks: MockState): Promise<void> {
  const { pathname, searchParams } = new URL(route.request().url())
  const path = pathname.replace('/api/integrations/xero', '')
  switch (path) {
    case '/activity':
      if (mocks.activity === 'pending') return
      if (mocks.activity === 'failing') return problem(route, 503, 'service_busy')
      return route.fulfill({ json: pageOf(mocks.activity, searchParams) })
    case '/bindings':
      if (mocks.bindings === 'pending') return
      if (mocks.bindings === 'failing') return problem(route, 503, 'service_busy')
      return route.fulfill({
        json: {
          bindings: searchParams.get('status') === 'revoked' ? [] : mocks.bindings,
          hasActiveBindings: mocks.bindings.some(({ status }) => status === 'active'),
          pending: mocks.pending,
        },
      })
    case '/tenants/list':
      if (mocks.tenants === 'pending') return
      if (mocks.tenants === 'failing') return problem(route, 503, 'xero_unavailable')
      if (mocks.tenants === 'foreign') return problem(route, 404, 'not_found')
      if (mocks.tenants === 'damaged') return problem(route, 422, 'invalid_request')
      if (mocks.tenants === 'ended') return problem(route, 409, 'reauthorization_required')
      return route.fulfill({
        json: {
          grantId: searchParams.get('grantId'),
          tenants: mocks.tenants,
        },
      })
    case '/tenants/select': {
      const { tenantId } = route.request().postDataJSON() as { tenantId: string }
      const selected = mocks.selected.find((binding) => binding.tenantId === tenantId)
      if (!selected) return problem(route, 409, 'tenant_bound_elsewhere')
      return route.fulfill({ status: 201, json: selected })
    }
    case '/disconnect':
      return problem(route, 503, 'service_busy')
    case '/refresh':
      if (mocks.refreshed === 'failing') return problem(route, 503, 'service_busy')
      return route.fulfill({ json: mocks.refreshed })
    default:
      throw new Error(`Nobody prepared for ${path}`)
  }
}

const DETAILS: Record<string, string> = {
  service_busy: 'The service is busy. Try again in a few seconds.',
  xero_unavailable: 'Xero is not available right now.',
  not_found: 'Not found.',
  invalid_request: 'query.grantId: must be a UUID.',
  reauthorization_required: 'Xero no longer accepts the consent. Connect to Xero again.',
  tenant_bound_elsewhere: 'This Xero organisation is already connected elsewhere.',
}

function problem(route: Route, status: number, code: string): Promise<void> {
  return route.fulfill({
    status,
    contentType: 'application/problem+json',
    json: { status, code, title: code, detail: DETAILS[code], requestId: 'req-0001' },
  })
}
