import { expect, SettingsPage, test } from './settings-page'

test('the activity shows each action to admins at once, in order and with names', async ({
  page,
}) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')

  const lines = page.getByRole('list', { name: 'Activity' }).getByRole('listitem')
  const expectNewest = async (words: RegExp[]) => {
    for (const [place, word] of words.entries()) await expect(lines.nth(place)).toContainText(word)
  }
  const connected = [
    // An earlier flow may have connected the same organisation.
    /^You (re)?connected Acme Trading Ltd/,
    /^You signed in to Xero and allowed access/,
  ]
  await expectNewest(connected)

  await admin.button('Disconnect Acme Trading Ltd').click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Disconnect' }).click()
  await admin.expectText('No Xero organisation connected')
  await expectNewest([
    /^The service finished disconnecting at Xero/,
    /^You disconnected Acme Trading Ltd/,
    ...connected,
  ])
})
