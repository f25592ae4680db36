import { bindingIdOf, disconnectInXero, injectFault, narrowGrants, SERVICE, XERO } from './sandbox'
import { expect, SettingsPage, SETTINGS, test } from './settings-page'

const INVOICES = 'accounting.invoices.read'

/** Connects "Acme Trading Ltd", which Xero then disconnects; the page has noticed it. */
async function withLostOrganisation(admin: SettingsPage): Promise<void> {
  await admin.signIn('Acme admin')
  await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')
  await disconnectInXero(XERO.acmeBookkeeper.key, XERO.acmeTrading)
  await admin.refreshUntil(admin.row('Acme Trading Ltd').getByText('Needs attention'))
}

test.describe('the link of a mail', () => {
  test('leads somebody who is signed out to a connection that works again', async ({
    page,
    browser,
  }) => {
    await withLostOrganisation(new SettingsPage(page))
    const link = `${SETTINGS}?reconnect=${await bindingIdOf('Acme Trading Ltd')}`

    const reader = new SettingsPage(await (await browser.newContext()).newPage())
    await reader.signIn('Acme admin', link)
    const question = reader.page.getByRole('dialog', { name: 'Reconnect Acme Trading Ltd?' })
    await expect(question).toContainText('until somebody allows access at Xero again')
    await expect(question).toContainText('Last time it was Acme bookkeeper.')
    await question.getByRole('button', { name: 'Reconnect' }).click()
    await reader.expectConsentPage()
    await reader.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')

    await reader.expectText('Acme Trading Ltd reconnected')
    await expect(reader.row('Acme Trading Ltd')).toContainText('Active')
    await expect(reader.page).toHaveURL(SERVICE + SETTINGS)
    await expect(question).toBeHidden()
    await reader.page.reload()
    await expect(reader.row('Acme Trading Ltd')).toContainText('Healthy, renews automatically')
    await expect(question).toBeHidden()
    await reader.page.context().close()
  })

  test('"back" from Xero neither asks again nor starts anything', async ({ page }) => {
    const admin = new SettingsPage(page)
    await withLostOrganisation(admin)
    await page.goto(`${SETTINGS}?reconnect=${await bindingIdOf('Acme Trading Ltd')}`)
    await page.getByRole('dialog').getByRole('button', { name: 'Reconnect' }).click()
    await admin.expectConsentPage()

    await page.goBack()

    await expect(page).toHaveURL(SERVICE + SETTINGS)
    await expect(admin.row('Acme Trading Ltd')).toContainText('Needs attention')
  })

  test('shows nothing of the connection to another organisation', async ({ page, browser }) => {
    await withLostOrganisation(new SettingsPage(page))
    const link = `${SETTINGS}?reconnect=${await bindingIdOf('Acme Trading Ltd')}`

    const other = new SettingsPage(await (await browser.newContext()).newPage())
    await other.signIn('Globex admin', link)
    await other.expectText('This link is for a connection that is not here')
    await expect(other.page.getByText('Acme Trading Ltd')).toHaveCount(0)
    await other.button('Dismiss').click()
    await expect(other.page).toHaveURL(SERVICE + SETTINGS)
    await other.page.context().close()
  })
})

test('a consent that misses the organisation says what is still broken and ends it', async ({
  page,
}) => {
  const admin = new SettingsPage(page)
  await withLostOrganisation(admin)

  await admin.button('Reconnect').click()
  await admin.expectConsentPage()
  await admin.allowAccess('Globex bookkeeper', 'Globex Ltd')

  const dialog = admin.selectDialog()
  const alert = dialog.getByRole('alert')
  await expect(alert).toContainText('Acme Trading Ltd is still not connected')
  await expect(alert).toContainText('last time it was Acme bookkeeper')
  await expect(admin.checkbox('Globex Ltd')).not.toBeChecked()
  await expect(admin.button('Connect organisation')).toBeDisabled()
  await page.reload()
  await expect(alert).toContainText('Acme Trading Ltd is still not connected')

  await admin.button('Try again for Acme Trading Ltd').click()
  await admin.expectConsentPage()
  await admin.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')
  await admin.expectText('Acme Trading Ltd reconnected')
  await expect(dialog).toBeHidden()
  await expect(admin.row('Acme Trading Ltd')).toContainText('Active')

  // The other consent is not lost.
  await admin.button('Finish connecting').click()
  await expect(admin.checkbox('Globex Ltd')).toBeChecked()
  await admin.button('Connect organisation').click()
  await expect(admin.row('Globex Ltd')).toContainText('Active')
  await expect(page.getByText('You have not finished connecting')).toBeHidden()
})

test.describe('a permission that the app asks for since', () => {
  test('is granted by "Update permissions"', async ({ page }) => {
    const admin = new SettingsPage(page)
    await admin.signIn('Acme admin')
    await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')
    narrowGrants(INVOICES)
    await page.reload()
    const row = admin.row('Acme Trading Ltd')
    await expect(row).toContainText('Lacks permissions that this app now asks for')
    await expect(row).toContainText('Active')

    await admin.button('Details of Acme Trading Ltd').click()
    const details = page.getByRole('dialog', { name: 'Details of Acme Trading Ltd' })
    await expect(details.getByRole('list', { name: 'Missing' })).toHaveText('Invoices (read only)')
    await details.getByRole('button', { name: 'Update permissions' }).click()
    await admin.expectConsentPage()
    await admin.allowAgain('Acme bookkeeper')

    await expect(row).toContainText('Healthy, renews automatically')
    await expect(admin.button('Update permissions')).toBeHidden()
    await admin.button('Details of Acme Trading Ltd').click()
    await expect(details.getByRole('list', { name: 'Allowed at Xero' })).toContainText(
      'Invoices (read only)',
    )
    await expect(details.getByRole('list', { name: 'Missing' })).toBeHidden()
  })

  test('stays missing, and is explained, where Xero grants too little again', async ({ page }) => {
    const admin = new SettingsPage(page)
    await admin.signIn('Acme admin')
    await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')
    narrowGrants(INVOICES)
    await page.reload()
    await injectFault({
      kind: 'token.code',
      fault: 'changed_fields',
      when: 'after',
      changes: { scope: 'openid profile email offline_access accounting.settings.read' },
    })

    await admin.button('Update permissions').click()
    await admin.expectConsentPage()
    await admin.allowAgain('Acme bookkeeper')

    await expect(page.getByRole('alert')).toContainText('fewer permissions than this app needs')
    const row = admin.row('Acme Trading Ltd')
    await expect(row).toContainText('Lacks permissions that this app now asks for')
    await expect(row).toContainText('2 permissions are missing')
    await expect(row).toContainText('Active')
  })
})
