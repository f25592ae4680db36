import { expect, SettingsPage, test } from './settings-page'
import {
  disconnectInXero,
  injectFault,
  clearFaults,
  withShortLivedTokens,
  setSwitches,
  XERO,
} from './sandbox'

test('tokens that are due are refreshed on arrival, with a toast', async ({ page }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await withShortLivedTokens(() => admin.connect('Acme bookkeeper', 'Acme Trading Ltd'))

  await page.reload()
  await admin.expectText('Xero connection refreshed')

  await page.reload()
  await expect(admin.row('Acme Trading Ltd')).toBeVisible()
  await page.waitForTimeout(500)
  await expect(page.getByText('Xero connection refreshed')).toBeHidden()
})

test('Refresh Tokens says how many it renewed, or that none was due', async ({ page }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await withShortLivedTokens(() => admin.connect('Acme bookkeeper', 'Acme Trading Ltd'))

  await admin.button('Refresh Tokens').click()
  await admin.expectText('1 token refreshed')
  await admin.button('Refresh Tokens').click()
  await admin.expectText('All tokens are up to date')
})

test('the page shows that Xero issues no tokens, until it does', async ({ page }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await withShortLivedTokens(() => admin.connect('Acme bookkeeper', 'Acme Trading Ltd'))
  await injectFault({ kind: 'token.refresh', fault: '503', times: null })

  await admin.button('Refresh Tokens').click()
  await admin.expectText('Tokens could not be refreshed')
  await admin.expectText(/Xero is not answering\. We keep trying/)
  const row = admin.row('Acme Trading Ltd')
  await expect(row).toContainText('Last renewal failed, trying again automatically')
  await expect(row).toContainText('Active')

  await page.reload()
  await admin.expectText('Xero connection needs attention')
  // On the settings page itself a link to it would do nothing.
  await expect(page.getByRole('link', { name: 'Open settings' })).toHaveCount(0)

  await clearFaults()
  await expect(async () => {
    await admin.button('Refresh Tokens').click()
    await expect(page.getByText(/1 token refreshed|All tokens are up to date/)).toBeVisible({
      timeout: 1_000,
    })
  }).toPass({ timeout: 40_000 })
  await expect(row).toContainText('Healthy, renews automatically')
})

test('an admin can reconnect a grant that Xero no longer accepts', async ({ page }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await withShortLivedTokens(() => admin.connect('Acme bookkeeper', 'Acme Trading Ltd'))
  await setSwitches({ disconnectInXero: 'kills_grant' })
  await disconnectInXero(XERO.acmeBookkeeper.key, XERO.acmeTrading)

  await admin.button('Refresh Tokens').click()
  await admin.expectText('Tokens could not be refreshed')
  const row = admin.row('Acme Trading Ltd')
  await expect(row).toContainText('Needs attention')
  await expect(row).toContainText('it was withdrawn, or not used for 60 days')

  await admin.button('Reconnect').click()
  await admin.expectConsentPage()
  await admin.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')
  await admin.expectText('Acme Trading Ltd reconnected')
  await expect(row).toContainText('Active')
})

test('the page shows no refresh toast when it is offline', async ({ page, context }) => {
  const accountant = new SettingsPage(page)
  await accountant.signIn('Accountant')
  await page.getByRole('button', { name: /Acme/ }).click()
  await accountant.expectText('No Xero organisation connected')

  await context.setOffline(true)
  await page.getByRole('combobox', { name: 'Organisation' }).selectOption('Globex')
  await accountant.expectText('The connections could not be loaded')
  await expect(page.getByText(/Xero connection/)).toHaveCount(0)

  // The list recovers without a person.
  await context.setOffline(false)
  await accountant.expectText('No Xero organisation connected')
})
