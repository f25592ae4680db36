import { expect } from '@playwright/test'

import { eventful } from '../../src/testing/activity'
import {
  binding,
  demo,
  expiring,
  lost,
  manyTenants,
  narrow,
  offeredDemo,
  retrying,
  services,
  suspended,
  tenant,
} from '../../src/testing/fixtures'
import { presses, sees, type State } from './state'

const all = [binding(), services, expiring, retrying, lost, suspended]
const choosing = '?action=select_tenant&grantId=g1'
const just = { justAuthorised: true }

/** "Acme Trading Ltd" and two others, of which the first can be connected. */
const three = [
  tenant(just),
  tenant({ tenantId: 't6', tenantName: 'Demo Company (NZ)' }),
  tenant({ tenantId: 't7', tenantName: 'Acme Services Ltd' }),
]

/** Every state with a dialog. */
export const DIALOGS: State[] = [
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
    name: 'details-service',
    mocks: { bindings: all },
    reach: presses('Details of Acme Trading Ltd', async (page) => {
      await page.getByRole('tab', { name: 'In your service' }).click()
      await sees('With a service key')(page)
    }),
  },
  {
    name: 'details-activity',
    mocks: { bindings: all, activity: eventful },
    reach: presses('Details of Acme Trading Ltd', async (page) => {
      await page.getByRole('tab', { name: 'Activity' }).click()
      await expect(page.getByRole('tabpanel').getByRole('listitem').first()).toBeVisible()
    }),
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
    name: 'details-copy-failed',
    mocks: { bindings: [binding()] },
    reach: presses('Details of Acme Trading Ltd', async (page) => {
      await page.evaluate(() => {
        navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'))
      })
      await presses('Copy tenantId', sees(/Not copied/))(page)
    }),
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
    name: 'choose-partly-failed',
    query: choosing,
    mocks: { tenants: three, selected: [binding()] },
    reach: async (page) => {
      for (const name of ['Demo Company (NZ)', 'Acme Services Ltd']) {
        await page.getByRole('checkbox', { name }).check()
      }
      await presses('Connect 3 organisations', sees('2 organisations were not connected'))(page)
    },
  },
  {
    name: 'choose-damaged',
    query: choosing,
    mocks: { tenants: 'damaged' },
    reach: sees('This link is damaged'),
  },
  {
    name: 'choose-ended',
    query: choosing,
    mocks: { tenants: 'ended' },
    reach: sees('This sign-in to Xero no longer works'),
  },
  {
    name: 'choose-unreached',
    query: `${choosing}&unreached=${lost.id}`,
    mocks: { bindings: [lost], tenants: [tenant(just)] },
    reach: sees('Acme Exports Ltd is still not connected'),
  },
  {
    name: 'switch-nothing-else',
    mocks: { bindings: [binding()], tenants: [tenant({ availability: 'bound_here' })] },
    reach: presses(
      'Switch organisation Acme Trading Ltd',
      sees('Your sign-in to Xero reaches no other organisation'),
    ),
  },
  {
    name: 'switched',
    mocks: { bindings: [binding()], tenants: [offeredDemo], selected: [demo] },
    reach: presses('Switch organisation Acme Trading Ltd', async (page) => {
      await page.getByRole('radio', { name: 'Demo Company (NZ)' }).check()
      await presses('Connect organisation', sees('Keep both'))(page)
    }),
  },
  {
    name: 'reconnect',
    query: `?reconnect=${lost.id}`,
    mocks: { bindings: all },
    reach: sees('Reconnect Acme Exports Ltd?'),
  },
  {
    name: 'reconnect-working',
    query: `?reconnect=${binding().id}`,
    mocks: { bindings: all },
    reach: sees('Reconnect Acme Trading Ltd?'),
  },
]
