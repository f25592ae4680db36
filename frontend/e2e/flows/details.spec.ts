import { readFile } from 'node:fs/promises'

import { expectAccessible } from '../accessibility'
import { expect, SettingsPage, test } from './settings-page'

const GUIDE = new URL('../../../docs/from-your-service.md', import.meta.url)

test('the details of a connection open, copy what services need, and close by keyboard', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const copied = () => page.evaluate(() => navigator.clipboard.readText())
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')
  const trigger = admin.button('Details of Acme Trading Ltd')

  await trigger.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Details of Acme Trading Ltd' })
  await expect(dialog).toContainText('By Acme bookkeeper on')
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Copy bindingId' }).press('Enter')
  await expect(dialog.getByText('bindingId copied')).toBeAttached()
  const bindingId = await copied()
  await dialog.getByRole('tab', { name: 'Connection' }).focus()
  await page.keyboard.press('ArrowRight')
  await expect(dialog.getByRole('tab', { name: 'In your service' })).toBeFocused()
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Copy Example' }).press('Enter')
  await expect(dialog.getByText('Example copied')).toBeAttached()
  const example = await copied()
  expect(example).toContain(bindingId)
  const guide = await readFile(GUIDE, 'utf8')
  expect(guide).toContain(example.replace(bindingId, '$BINDING_ID'))

  await dialog.getByRole('tab', { name: 'In your service' }).focus()
  await page.keyboard.press('ArrowRight')
  await expect(dialog.getByRole('list', { name: 'Activity' })).toContainText(
    /You (re)?connected Acme Trading Ltd/,
  )
  await expectAccessible(page)

  await page.keyboard.press('Escape')
  await expect(dialog).toBeHidden()
  await expect(trigger).toBeFocused()
})
