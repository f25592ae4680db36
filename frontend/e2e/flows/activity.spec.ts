import { expect, Person, test } from './person'

test('what is done here is told to admins at once, in order and by name', async ({ page }) => {
  const admin = new Person(page)
  await admin.signIn('Acme admin')
  await admin.connects('Acme bookkeeper', 'Acme Trading Ltd')

  const lines = page.getByRole('list', { name: 'Activity' }).getByRole('listitem')
  const expectNewest = async (words: RegExp[]) => {
    for (const [place, word] of words.entries()) await expect(lines.nth(place)).toContainText(word)
  }
  const connected = [
    // Another flow may have had the same organisation before.
    /^You (re)?connected Acme Trading Ltd/,
    /^You signed in to Xero and allowed access/,
    /^You went to Xero to connect/,
  ]
  await expectNewest(connected)

  await admin.button('Disconnect Acme Trading Ltd').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
  await admin.says('No Xero organisation connected')
  await expectNewest([
    /^The service finished disconnecting at Xero/,
    /^You disconnected Acme Trading Ltd/,
    ...connected,
  ])
})
