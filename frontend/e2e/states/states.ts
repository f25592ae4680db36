import { expect, type Page } from '@playwright/test'

import { eventful, everyday, long } from '../../src/testing/activity'
import {
  ago,
  binding,
  expiring,
  lost,
  minutes,
  narrow,
  refreshed,
  retrying,
  services,
  suspended,
  twoHundred,
} from '../../src/testing/fixtures'
import { DIALOGS } from './dialogs'
import { mockService } from './mock-service'
import { presses, sees, type State } from './state'

const seesActivity =
  (text: string | RegExp, timeout = 10_000) =>
  async (page: Page) => {
    const activity = page.getByRole('region', { name: 'Activity' })
    await expect(activity.getByText(text).first()).toBeVisible({ timeout })
  }

const all = [binding(), services, expiring, retrying, lost, suspended]
const choosing = '?action=select_tenant&grantId=g1'

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

/** Every state without a dialog. */
const WITHOUT_DIALOG: State[] = [
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
    name: 'pending',
    mocks: {
      bindings: [binding()],
      pending: { grantId: 'g9', authorisedAt: ago(minutes(5)) },
    },
    reach: sees('You have not finished connecting'),
  },
  {
    name: 'permissions-missing',
    mocks: { bindings: [narrow, binding()] },
    reach: sees('Lacks permissions that this app now asks for'),
  },
  {
    name: 'out-of-date',
    mocks: { bindings: [binding()] },
    reach: async (page) => {
      await sees('Acme Trading Ltd')(page)
      await mockService(page, { bindings: 'failing' })
      await page.getByRole('button', { name: 'Refresh Tokens' }).click()
      await expect(page.getByText('This list may be out of date')).toBeVisible({ timeout: 15_000 })
    },
  },
  {
    name: 'unknown-link',
    query: `?reconnect=${lost.id}`,
    mocks: { bindings: [binding()] },
    reach: sees('This link is for a connection that is not here'),
  },
  {
    name: 'dialog-not-loaded',
    mocks: { bindings: [binding()] },
    reach: async (page) => {
      await page.route('**/assets/details-dialog-*.js', (route) => route.abort())
      await presses('Details of Acme Trading Ltd', sees('could not be loaded'))(page)
    },
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

/** Every state that the page can be in. */
export const STATES: State[] = [...WITHOUT_DIALOG, ...DIALOGS]
