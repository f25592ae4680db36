import type { Page } from '@playwright/test'

import { expect, SettingsPage, SETTINGS, test } from './settings-page'
import { disconnectInXero, SANDBOX, SERVICE, XERO } from './sandbox'

function visitsToXero(page: Page): string[] {
  const visits: string[] = []
  page.on('framenavigated', (frame) => {
    if (frame.url().startsWith(SANDBOX)) visits.push(frame.url())
  })
  return visits
}

test('"Connect Xero" offers what a consent already reaches', async ({ page }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.withTwoInReach()
  const visits = visitsToXero(page)

  await admin.button('Connect Xero').click()
  await expect(admin.selectDialog()).toContainText('already reaches these')
  await expect(admin.selectDialog()).toContainText('Already connected here')
  await admin.checkbox('Demo Company (NZ)').check()
  await admin.button('Connect organisation').click()

  await expect(admin.row('Demo Company (NZ)')).toContainText('Active')
  await expect(admin.row('Acme Trading Ltd')).toContainText('Active')
  expect(visits).toEqual([])
})

test('a consent from which nothing was chosen is finished later, with several at once', async ({
  page,
}) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  for (const organisation of ['Acme Trading Ltd', 'Acme Services Ltd']) {
    await admin.startConnecting()
    await admin.allowAccess('Acme bookkeeper', organisation)
    await admin.chooseNothing()
  }

  await page.reload()
  await admin.expectText('You have not finished connecting')
  await admin.button('Finish connecting').click()
  await expect(admin.checkbox('Acme Services Ltd')).toBeChecked()
  await admin.checkbox('Acme Trading Ltd').check()
  await admin.button('Connect 2 organisations').click()

  await admin.expectText('2 organisations connected')
  await expect(admin.row('Acme Trading Ltd')).toContainText('Active')
  await expect(admin.row('Acme Services Ltd')).toContainText('Active')
  await admin.expectText('All 2 connections work')
  await expect(page.getByText('You have not finished connecting')).toBeHidden()
})

test('a switch selects the new one, then disconnects the old', async ({ page }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.withTwoInReach()

  await admin.button('Switch organisation Acme Trading Ltd').click()
  await admin.radio('Demo Company (NZ)').check()
  await admin.button('Connect organisation').click()
  const offer = page.getByRole('alertdialog', { name: 'Disconnect Acme Trading Ltd?' })
  await expect(offer).toContainText('Demo Company (NZ) is connected now.')
  await offer.getByRole('button', { name: 'Disconnect' }).click()

  await expect(admin.row('Acme Trading Ltd')).toBeHidden()
  await expect(admin.row('Demo Company (NZ)')).toContainText('Active')
})

test('a switch continues after a new consent at Xero', async ({ page }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')

  await admin.button('Switch organisation Acme Trading Ltd').click()
  await admin.button('Sign in to Xero again').click()
  await admin.expectConsentPage()
  await admin.allowAccess('Acme bookkeeper', 'Acme Services Ltd')
  await expect(admin.radio('Acme Services Ltd')).toBeChecked()
  await admin.button('Connect organisation').click()

  const offer = page.getByRole('alertdialog', { name: 'Disconnect Acme Trading Ltd?' })
  await offer.getByRole('button', { name: 'Keep both' }).click()
  await expect(admin.row('Acme Trading Ltd')).toContainText('Active')
  await expect(admin.row('Acme Services Ltd')).toContainText('Active')
})

test('disconnecting takes the organisation away, and connecting brings it back', async ({
  page,
}) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')

  await admin.button('Disconnect Acme Trading Ltd').click()
  const dialog = page.getByRole('alertdialog', { name: 'Disconnect Acme Trading Ltd?' })
  await expect(dialog).toContainText('can no longer read from Acme Trading Ltd')
  await dialog.getByRole('button', { name: 'Disconnect' }).click()

  await admin.expectText('Acme Trading Ltd disconnected')
  await admin.expectText('No Xero organisation connected')
  await page.reload()
  await admin.expectText('No Xero organisation connected')

  await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')
})

test('what was disconnected in Xero is shown, explained and reconnected', async ({ page }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.connect('Acme bookkeeper', 'Acme Services Ltd')
  await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')
  await disconnectInXero(XERO.acmeBookkeeper.key, XERO.acmeTrading)

  const row = admin.row('Acme Trading Ltd')
  await admin.refreshUntil(row.getByText('Needs attention'))
  await expect(row).toContainText('it was disconnected in Xero')
  await expect(admin.row('Acme Services Ltd')).toContainText('Active')

  await admin.button('Reconnect').click()
  await admin.expectConsentPage()
  await admin.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')

  await admin.expectText('Acme Trading Ltd reconnected')
  await expect(admin.selectDialog()).toBeHidden()
  await expect(page).toHaveURL(SERVICE + SETTINGS)
  await expect(row).toContainText('Active')
  await expect(row).toContainText('Checked just now')
  await expect(row).toContainText('Healthy, renews automatically')
})

test('a member sees everything and who can act', async ({ page, browser }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')

  const member = new SettingsPage(await (await browser.newContext()).newPage())
  await member.signIn('Acme member')
  await expect(member.row('Acme Trading Ltd')).toContainText('Connected by Acme bookkeeper')
  await member.expectText(/Only admins of Acme can connect, switch or disconnect/)
  await expect(member.page.getByRole('button', { name: /Disconnect/ })).toHaveCount(0)
  await expect(member.page.getByRole('button', { name: 'Connect Xero' })).toHaveCount(0)
  await expect(member.page.getByRole('heading', { name: 'Activity' })).toHaveCount(0)
  await member.button('Refresh Tokens').click()
  await member.expectText('All tokens are up to date')
  await member.page.context().close()
})

test('a user of two organisations sees each alone', async ({ page }) => {
  const accountant = new SettingsPage(page)
  await accountant.signIn('Accountant')
  await page.getByRole('button', { name: /Acme/ }).click()
  await accountant.connect('Sample accountant', 'Acme Trading Ltd')

  const refreshes: string[] = []
  page.on('request', (request) => {
    if (request.url().endsWith('/api/integrations/xero/refresh')) refreshes.push(request.method())
  })
  const organisation = page.getByRole('combobox', { name: 'Organisation' })
  await organisation.selectOption('Globex')
  await accountant.expectText('No Xero organisation connected')
  await expect(accountant.row('Acme Trading Ltd')).toBeHidden()
  await page.waitForTimeout(500)
  expect(refreshes).toEqual(['POST'])

  await organisation.selectOption('Acme')
  await expect(accountant.row('Acme Trading Ltd')).toBeVisible()
  await page.waitForTimeout(500)
  expect(refreshes).toEqual(['POST', 'POST'])
})
