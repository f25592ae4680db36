import { expect, SettingsPage, test } from './settings-page'
import { disconnectInXero, seedTenants, withBoundTenants, XERO } from './sandbox'

test('among two hundred connections, those that need a person come first and one is found', async ({
  page,
}) => {
  test.slow() // the check asks Xero for each of them
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')
  const tenants = await seedTenants(XERO.acmeBookkeeper.key, 199)

  await withBoundTenants(tenants, async () => {
    await page.reload()
    const rows = page.getByRole('list', { name: 'Connections' }).locator('> li')
    await expect(rows).toHaveCount(200)
    await admin.expectText('All 200 connections work')
    await expect(rows.first()).toContainText('Acme Trading Ltd')
    await expect(rows.last()).toContainText('Branch 199 Ltd')

    for (const name of ['Branch 9 Ltd', 'Branch 80 Ltd', 'Branch 150 Ltd']) {
      const tenantId = tenants.find(({ tenantName }) => tenantName === name)?.tenantId ?? ''
      await disconnectInXero(XERO.acmeBookkeeper.key, tenantId)
    }
    await admin.refreshUntil(page.getByText('3 of 200 need you'))
    for (const [place, name] of ['Branch 9 Ltd', 'Branch 80 Ltd', 'Branch 150 Ltd'].entries()) {
      await expect(rows.nth(place)).toContainText(name)
      await expect(rows.nth(place)).toContainText('Needs attention')
    }
    await expect(rows.nth(3)).toContainText('Acme Trading Ltd')

    await page.getByRole('searchbox', { name: 'Search connections' }).fill('branch 147')
    await expect(rows).toHaveCount(1)
    await admin.button('Disconnect Branch 147 Ltd').click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Disconnect' }).click()
    await admin.expectText('No connection matches your search.')
    await page.getByRole('searchbox', { name: 'Search connections' }).fill('')
    await expect(rows).toHaveCount(199)
    await admin.expectText('3 of 199 need you')
  })
})
