import { expect, type Page } from '@playwright/test'

import { eventful, everyday, long } from '../../src/testing/activity'
import {
  binding,
  expiring,
  lost,
  manyTenants,
  narrow,
  refreshed,
  retrying,
  services,
  suspended,
  tenant,
  twoHundred,
} from '../../src/testing/fixtures'
import type { MockState } from './mock-service'

export interface State {
  name: string
  mocks?: Partial<MockState>
  query?: string
  /** Brings the page into the state and waits until it is there. */
  reach: (page: Page) => Promise<void>
  /** The state ends by itself, like a toast, so each look loads the page again. */
  isTransient?: true
}

const sees = (text: string | RegExp) => async (page: Page) => {
  await expect(page.getByText(text).first()).toBeVisible()
}

const presses = (name: string, then: (page: Page) => Promise<void>) => async (page: Page) => {
  await page.getByRole('button', { name, exact: true }).click()
  await then(page)
}

const seesActivity =
  (text: string | RegExp, timeout = 10_000) =>
  async (page: Page) => {
    const activity = page.getByRole('region', { name: 'Activity' })
    await expect(activity.getByText(text).first()).toBeVisible({ timeout })
  }

const all = [binding(), services, expiring, retrying, lost, suspended]
const choosing = '?action=select_tenant&grantId=g1'
const just = { justAuthorised: true }

const ERRORS = [
  'access_denied',
  'flow_expired',
  'flow_mismatch',
  'session_mismatch',
  'exchange_failed',
  'no_tenants',
  'insufficient_scope',
  'something_new',
]

/** Every state that the page can be in. */
export const STATES: State[] = [
  {
    name: 'not-configured',
    mocks: { issuer: 'unknown' },
    reach: sees('Sign-in is not configured'),
  },
  {
    name: 'sign-in',
    mocks: { person: null },
    reach: async (page) => expect(page.getByRole('button', { name: 'Acme admin' })).toBeVisible(),
  },
  {
    name: 'sign-in-failing',
    mocks: { person: null, issuer: 'down' },
    reach: sees('The sandbox cannot be reached'),
  },
  { name: 'unreachable', mocks: { issuer: 'down' }, reach: sees('Sign-in cannot be reached') },
  {
    name: 'choose-org',
    mocks: { person: 'accountant' },
    reach: async (page) =>
      expect(page.getByRole('heading', { name: 'Choose an organisation' })).toBeVisible(),
  },
  {
    name: 'loading',
    mocks: { bindings: 'pending' },
    reach: async (page) =>
      expect(page.getByRole('status', { name: 'Loading connections' })).toBeVisible(),
  },
  { name: 'empty-admin', reach: sees('No Xero organisation connected') },
  {
    name: 'empty-member',
    mocks: { person: 'member' },
    reach: sees('Ask an admin of Acme to connect Xero.'),
  },
  {
    name: 'failed',
    mocks: { bindings: 'failing' },
    reach: async (page) =>
      expect(page.getByText('The connections could not be loaded')).toBeVisible({
        timeout: 15_000,
      }),
  },
  { name: 'one', mocks: { bindings: [binding()] }, reach: sees('Acme Trading Ltd') },
  {
    name: 'full-admin',
    mocks: { bindings: all, activity: everyday },
    reach: seesActivity('You connected'),
  },
  {
    name: 'two-hundred',
    mocks: { bindings: [...twoHundred, lost] },
    reach: async (page) => {
      await sees('1 of 201 needs you')(page)
      const rows = page.getByRole('list', { name: 'Connections' }).locator('> li')
      await expect(rows).toHaveCount(201)
      await expect(rows.first()).toContainText('Acme Exports Ltd')
      await page.getByRole('searchbox', { name: 'Search connections' }).fill('branch 147')
      await expect(rows).toHaveCount(1)
      await expect(rows).toContainText('Branch 147 Ltd')
    },
  },
  {
    name: 'full-member',
    mocks: { bindings: all, person: 'member' },
    reach: sees('Acme Archive Ltd'),
  },
  {
    name: 'activity-loading',
    mocks: { bindings: [binding()], activity: 'pending' },
    reach: async (page) =>
      expect(page.getByRole('status', { name: 'Loading activity' })).toBeVisible(),
  },
  {
    name: 'activity-empty',
    mocks: { bindings: [binding()] },
    reach: seesActivity('Nothing has happened yet'),
  },
  {
    name: 'activity-failed',
    mocks: { bindings: [binding()], activity: 'failing' },
    reach: seesActivity('The activity could not be loaded', 15_000),
  },
  {
    name: 'activity-full',
    mocks: { bindings: all, activity: eventful },
    reach: async (page) => {
      await page.getByRole('button', { name: 'Show more' }).click()
      await seesActivity('Nothing older is on record.')(page)
    },
  },
  {
    name: 'activity-paged',
    mocks: { bindings: [binding()], activity: long },
    reach: async (page) => {
      const more = page.getByRole('button', { name: 'Show more' })
      await more.click()
      await expect(page.getByRole('list', { name: 'Activity' }).locator('li')).toHaveCount(30)
      await expect(more).toBeFocused()
    },
  },
  {
    name: 'health-times',
    // One row, at the top: scrolling to a row closes its tooltip.
    mocks: { bindings: [binding()] },
    reach: async (page) => {
      await page.getByRole('button', { name: 'Healthy, renews automatically' }).first().focus()
      await expect(page.getByRole('tooltip').first()).toBeVisible()
    },
  },
  {
    name: 'details',
    mocks: { bindings: [narrow, ...all], activity: eventful },
    reach: presses('Details of Acme Payroll Ltd', sees('Bank transactions')),
  },
  {
    name: 'details-member',
    mocks: { bindings: all, person: 'member' },
    reach: presses('Details of Acme Trading Ltd', sees('In your service')),
  },
  {
    name: 'disconnect',
    mocks: { bindings: all },
    reach: presses('Disconnect Acme Trading Ltd', sees('Disconnect Acme Trading Ltd?')),
  },
  {
    name: 'disconnect-failed',
    mocks: { bindings: all },
    reach: presses('Disconnect Acme Trading Ltd', async (page) => {
      await page.getByRole('alertdialog').getByRole('button', { name: 'Disconnect' }).click()
      await sees('Acme Trading Ltd is still connected')(page)
    }),
  },
  {
    name: 'refreshed',
    isTransient: true,
    mocks: { bindings: all },
    reach: presses('Refresh Tokens', sees('All tokens are up to date')),
  },
  {
    name: 'refresh-failures',
    isTransient: true,
    mocks: {
      bindings: all,
      refreshed: refreshed({
        success: false,
        refreshedCount: 2,
        errors: [
          { bindingId: retrying.id, error: 'xero_unavailable' },
          { bindingId: lost.id, error: 'reauthorization_required' },
        ],
      }),
    },
    reach: presses('Refresh Tokens', sees('2 tokens refreshed, 2 failed')),
  },
  {
    name: 'arrival-refreshed',
    isTransient: true,
    mocks: { bindings: all, refreshed: refreshed({ refreshedCount: 2 }) },
    reach: sees('Xero connection refreshed'),
  },
  {
    name: 'arrival-attention',
    isTransient: true,
    mocks: {
      bindings: all,
      refreshed: refreshed({
        success: false,
        errors: [{ bindingId: lost.id, error: 'reauthorization_required' }],
      }),
    },
    reach: sees('Xero connection needs attention'),
  },
  {
    name: 'choose-loading',
    query: choosing,
    mocks: { tenants: 'pending' },
    reach: async (page) =>
      expect(
        page.getByRole('status', { name: 'Asking Xero for your organisations' }),
      ).toBeVisible(),
  },
  {
    name: 'choose-one',
    query: choosing,
    mocks: { tenants: [tenant(just)] },
    reach: sees('Just authorised'),
  },
  {
    name: 'choose-several',
    query: choosing,
    mocks: {
      bindings: [services],
      tenants: [
        tenant({ tenantId: 't9', tenantName: 'Globex Ltd', availability: 'unavailable' }),
        tenant({ tenantId: 't7', tenantName: 'Acme Services Ltd', availability: 'bound_here' }),
        tenant({ tenantId: 't6', tenantName: 'Demo Company (NZ)' }),
        tenant(just),
      ],
    },
    reach: sees('Just authorised'),
  },
  {
    name: 'choose-many',
    query: choosing,
    mocks: { tenants: manyTenants },
    reach: sees('Auckland Branch Ltd'),
  },
  {
    name: 'choose-none-found',
    query: choosing,
    mocks: { tenants: manyTenants },
    reach: async (page) => {
      await page.getByRole('searchbox', { name: 'Search organisations' }).fill('zzz')
      await sees('No organisation matches your search.')(page)
    },
  },
  {
    name: 'choose-nothing',
    query: choosing,
    mocks: { tenants: [] },
    reach: sees('This sign-in to Xero reaches no organisation'),
  },
  {
    name: 'choose-foreign',
    query: choosing,
    mocks: { tenants: 'foreign' },
    reach: sees("This sign-in to Xero is not Acme's"),
  },
  {
    name: 'choose-failing',
    query: choosing,
    mocks: { tenants: 'failing' },
    reach: async (page) =>
      expect(page.getByText("Xero's organisations could not be listed")).toBeVisible({
        timeout: 15_000,
      }),
  },
  {
    name: 'choose-taken',
    query: choosing,
    mocks: { tenants: [tenant(just)] },
    reach: presses('Connect organisation', sees('Acme Trading Ltd was not connected')),
  },
  {
    name: 'switch',
    mocks: {
      bindings: [binding()],
      tenants: [tenant({ tenantId: 't6', tenantName: 'Demo Company (NZ)' })],
    },
    reach: presses('Switch organisation Acme Trading Ltd', sees('Demo Company (NZ)')),
  },
  {
    name: 'member-returns',
    query: choosing,
    mocks: { bindings: all, person: 'member' },
    reach: sees('An admin has to finish this connection'),
  },
  ...ERRORS.map((code) => ({
    name: `error-${code}`,
    query: `?error=${code}`,
    mocks: { bindings: [binding()] },
    reach: async (page: Page) => expect(page.getByRole('alert')).toBeVisible(),
  })),
]
