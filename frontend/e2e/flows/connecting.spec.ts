import { expect, SettingsPage, SETTINGS, test } from './settings-page'
import {
  endSession,
  injectFault,
  expireAttempts,
  removeFromOrganisation,
  SERVICE,
  sessionToken,
  XERO,
} from './sandbox'

test('an admin connects an organisation by clicking through Xero', async ({ page }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.expectText('No Xero organisation connected')

  await admin.startConnecting()
  expect(page.context().pages()).toHaveLength(1)
  await admin.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')

  await expect(admin.selectDialog()).toBeVisible()
  await expect(admin.checkbox('Acme Trading Ltd')).toBeChecked()
  await admin.button('Connect organisation').click()

  await admin.expectText('Acme Trading Ltd connected')
  const row = admin.row('Acme Trading Ltd')
  await expect(row).toContainText('Active')
  await expect(row).toContainText('Healthy, renews automatically')
  await expect(row).toContainText('Connected by Acme bookkeeper')
  await expect(row).toContainText('Not used yet')
  await expect(page).toHaveURL(SERVICE + SETTINGS)

  await page.reload()
  await expect(row).toBeVisible()
  await expect(admin.selectDialog()).toBeHidden()
})

test('the dialog survives a reload and a later visit to its URL', async ({ page }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.startConnecting()
  await admin.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')
  await expect(admin.checkbox('Acme Trading Ltd')).toBeChecked()
  const address = page.url()

  await page.reload()
  await expect(admin.checkbox('Acme Trading Ltd')).toBeChecked()
  await admin.button('Cancel').click()
  await expect(page).toHaveURL(SERVICE + SETTINGS)

  await page.goto(address)
  await expect(admin.checkbox('Acme Trading Ltd')).toBeVisible()
})

test("a shared address opens nothing of another organisation's", async ({ page, browser }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.startConnecting()
  await admin.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')
  await expect(admin.selectDialog()).toBeVisible()

  const elsewhere = await browser.newContext()
  const other = new SettingsPage(await elsewhere.newPage())
  await other.signIn('Globex admin', page.url())
  await other.expectText("This sign-in to Xero is not Globex's")
  await elsewhere.close()

  const member = new SettingsPage(await (await browser.newContext()).newPage())
  await member.signIn('Acme member', page.url())
  await member.expectText('An admin has to finish this connection')
  await member.page.context().close()
})

test('cancelling at Xero changes nothing and says so once', async ({ page }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.startConnecting()
  await admin.button('Cancel').click()

  await expect(page.getByRole('alert')).toContainText('You cancelled at Xero')
  await expect(page).toHaveURL(SERVICE + SETTINGS)
  await admin.expectText('No Xero organisation connected')

  await admin.button('Try again').click()
  await admin.expectConsentPage()
  await page.goBack()
  await expect(admin.button('Connect Xero')).not.toHaveAttribute('aria-busy')
  await page.reload()
  await expect(page.getByRole('alert')).toBeHidden()
})

test('an admin can select any organisation that a consent reached', async ({ page }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.startConnecting()
  await admin.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')
  await admin.chooseNothing()
  await admin.startConnecting()
  await admin.allowAccess('Acme bookkeeper', 'Acme Services Ltd')

  await expect(admin.checkbox('Acme Services Ltd')).toBeChecked()
  await admin.checkbox('Acme Services Ltd').uncheck()
  await admin.checkbox('Acme Trading Ltd').check()
  await admin.button('Connect organisation').click()

  await expect(admin.row('Acme Trading Ltd')).toContainText('Active')
  await expect(admin.row('Acme Services Ltd')).toBeHidden()
})

test('a tenant of another organisation is explained, without saying whose', async ({
  page,
  browser,
}) => {
  const acme = new SettingsPage(page)
  await acme.signIn('Acme admin')
  await acme.startConnecting()
  await acme.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')
  await expect(acme.checkbox('Acme Trading Ltd')).toBeChecked()

  const globex = new SettingsPage(await (await browser.newContext()).newPage())
  await globex.signIn('Globex admin')
  await globex.startConnecting()
  await globex.allowAccess('Sample accountant', 'Acme Trading Ltd')
  await expect(globex.checkbox('Acme Trading Ltd')).toBeChecked()

  await acme.button('Connect organisation').click()
  await expect(acme.row('Acme Trading Ltd')).toBeVisible()

  // Both dialogs offered the tenant; the second selection fails.
  await globex.button('Connect organisation').click()
  await expect(globex.page.getByRole('alert')).toContainText('connected elsewhere')
  await globex.page.reload()
  await expect(globex.checkbox('Acme Trading Ltd')).toBeDisabled()
  await globex.expectText(/In use elsewhere/)
  await expect(globex.selectDialog()).not.toContainText('Acme admin')
  await globex.page.context().close()
})

test.describe('a consent that fails', () => {
  test('Xero does not complete it', async ({ page }) => {
    const admin = new SettingsPage(page)
    await admin.signIn('Acme admin')
    await injectFault({ kind: 'token.code', fault: '500' })
    await admin.startConnecting()
    await admin.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')

    await expect(page.getByRole('alert')).toContainText('Xero did not complete the connection')
  })

  test('Xero grants too little', async ({ page }) => {
    const admin = new SettingsPage(page)
    await admin.signIn('Acme admin')
    await injectFault({
      kind: 'token.code',
      fault: 'changed_fields',
      when: 'after',
      changes: { scope: 'openid offline_access' },
    })
    await admin.startConnecting()
    await admin.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')

    await expect(page.getByRole('alert')).toContainText('fewer permissions than this app needs')
  })

  test('the Xero user has no organisation', async ({ page }) => {
    const admin = new SettingsPage(page)
    await admin.signIn('Acme admin')
    await removeFromOrganisation(XERO.globexBookkeeper.key, XERO.globex)
    await admin.startConnecting()
    await page.getByRole('radio', { name: 'Globex bookkeeper' }).check()
    await admin.button('Continue').click()

    await expect(page.getByRole('alert')).toContainText('chose no organisation there')
  })

  test('the person takes longer than ten minutes', async ({ page }) => {
    const admin = new SettingsPage(page)
    await admin.signIn('Acme admin')
    await admin.startConnecting()
    expireAttempts()
    await admin.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')

    await expect(page.getByRole('alert')).toContainText('took longer than ten minutes')
    await expect(page).toHaveURL(SERVICE + SETTINGS)
    await admin.expectText('No Xero organisation connected')
  })

  test('another browser comes back', async ({ page }) => {
    const admin = new SettingsPage(page)
    await admin.signIn('Acme admin')
    await admin.startConnecting()
    await page.context().clearCookies()
    await admin.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')

    await expect(page.getByRole('alert')).toContainText('did not start that attempt')
  })

  test('somebody else is signed in when Xero sends the browser back', async ({ page }) => {
    const admin = new SettingsPage(page)
    await admin.signIn('Acme admin')
    await admin.startConnecting()
    await page.context().addCookies([
      {
        name: '__session',
        value: await sessionToken('user_globex_admin', 'org_globex'),
        url: SERVICE,
      },
    ])
    await admin.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')

    await expect(page.getByRole('alert')).toContainText('Somebody else, or another organisation')
  })

  test('the session ends while the person is at Xero', async ({ page }) => {
    const admin = new SettingsPage(page)
    await admin.signIn('Acme admin')
    const sessionId = await admin.sessionId()
    await admin.startConnecting()
    await endSession(sessionId)
    await admin.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')

    await admin.expectText('Your session has ended')
    await admin.button('Acme admin').click()
    await expect(admin.checkbox('Acme Trading Ltd')).toBeChecked()
  })
})

test('two tabs connect side by side', async ({ page }) => {
  const first = new SettingsPage(page)
  const second = new SettingsPage(await page.context().newPage())
  await first.signIn('Acme admin')
  await second.signIn('Acme admin')
  await first.startConnecting()
  await second.startConnecting()

  await second.allowAccess('Acme bookkeeper', 'Acme Services Ltd')
  await expect(second.checkbox('Acme Services Ltd')).toBeChecked()
  await second.button('Connect organisation').click()
  await expect(second.row('Acme Services Ltd')).toBeVisible()

  await first.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')
  await expect(first.checkbox('Acme Trading Ltd')).toBeChecked()
  await first.button('Connect organisation').click()
  await expect(first.row('Acme Trading Ltd')).toBeVisible()
  await expect(first.row('Acme Services Ltd')).toBeVisible()
})

test('two tabs can be two people', async ({ page }) => {
  const admin = new SettingsPage(page)
  const member = new SettingsPage(await page.context().newPage())
  await admin.signIn('Acme admin')
  await member.signIn('Acme member')
  await admin.page.reload()
  await member.page.reload()

  await expect(admin.button('Connect Xero')).toBeVisible()
  await member.expectText('Ask an admin of Acme to connect Xero.')
})
