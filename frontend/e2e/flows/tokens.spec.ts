import { expect, Person, test } from './person'
import { disconnectInXero, fault, mend, withShortLivedTokens, turn, XERO } from './sandbox'

test('tokens that are due are renewed on arrival, with a word about it', async ({ page }) => {
  const admin = new Person(page)
  await admin.signIn('Acme admin')
  await withShortLivedTokens(() => admin.connects('Acme bookkeeper', 'Acme Trading Ltd'))

  await page.reload()
  await admin.says('Xero connection refreshed')

  await page.reload()
  await expect(admin.row('Acme Trading Ltd')).toBeVisible()
  await page.waitForTimeout(500)
  await expect(page.getByText('Xero connection refreshed')).toBeHidden()
})

test('Refresh Tokens says how many it renewed, or that none was due', async ({ page }) => {
  const admin = new Person(page)
  await admin.signIn('Acme admin')
  await withShortLivedTokens(() => admin.connects('Acme bookkeeper', 'Acme Trading Ltd'))

  await admin.button('Refresh Tokens').click()
  await admin.says('1 token refreshed')
  await admin.button('Refresh Tokens').click()
  await admin.says('All tokens are up to date')
})

test('while Xero gives no tokens, that is said, and passes', async ({ page }) => {
  const admin = new Person(page)
  await admin.signIn('Acme admin')
  await withShortLivedTokens(() => admin.connects('Acme bookkeeper', 'Acme Trading Ltd'))
  await fault({ kind: 'token.refresh', fault: '503', times: null })

  await admin.button('Refresh Tokens').click()
  await admin.says('Tokens could not be refreshed')
  await admin.says(/Xero is not answering\. We keep trying/)
  const row = admin.row('Acme Trading Ltd')
  await expect(row).toContainText('Last renewal failed, trying again automatically')
  await expect(row).toContainText('Active')

  await page.reload()
  await admin.says('Xero connection needs attention')
  await expect(page.getByRole('link', { name: 'Open settings' })).toBeVisible()

  await mend()
  await expect(async () => {
    await admin.button('Refresh Tokens').click()
    await expect(page.getByText(/1 token refreshed|All tokens are up to date/)).toBeVisible({
      timeout: 1_000,
    })
  }).toPass({ timeout: 40_000 })
  await expect(row).toContainText('Healthy, renews automatically')
})

test('a consent that Xero no longer accepts asks for a person, who can mend it', async ({
  page,
}) => {
  const admin = new Person(page)
  await admin.signIn('Acme admin')
  await withShortLivedTokens(() => admin.connects('Acme bookkeeper', 'Acme Trading Ltd'))
  await turn({ disconnectInXero: 'kills_grant' })
  await disconnectInXero(XERO.acmeBookkeeper.key, XERO.acmeTrading)

  await admin.button('Refresh Tokens').click()
  await admin.says('Tokens could not be refreshed')
  const row = admin.row('Acme Trading Ltd')
  await expect(row).toContainText('Needs attention')
  await expect(row).toContainText('it was withdrawn, or not used for 60 days')

  await admin.button('Reconnect').click()
  await admin.isAtXero()
  await admin.allow('Acme bookkeeper', 'Acme Trading Ltd')
  await expect(admin.radio('Acme Trading Ltd')).toBeChecked()
  await admin.button('Connect organisation').click()
  await expect(row).toContainText('Active')
})

test('the page is silent about refreshing when it is offline', async ({ page, context }) => {
  const accountant = new Person(page)
  await accountant.signIn('Accountant')
  await page.getByRole('button', { name: /Acme/ }).click()
  await accountant.says('No Xero organisation connected')

  await context.setOffline(true)
  await page.getByRole('combobox', { name: 'Organisation' }).selectOption('Globex')
  await accountant.says('The connections could not be loaded')
  await expect(page.getByText(/Xero connection/)).toHaveCount(0)

  await context.setOffline(false)
  await accountant.button('Try again').click()
  await accountant.says('No Xero organisation connected')
})
