import type { Locator, Page } from '@playwright/test'

import { expectVisibleFocus } from '../accessibility'
import { expect, SettingsPage, SETTINGS, test } from './settings-page'
import { narrowGrants } from './sandbox'

/** Presses Tab until the element has the focus, and expects that one sees it. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible()
  for (let presses = 0; presses < 40; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) {
      await expectVisibleFocus(page)
      return
    }
    await page.keyboard.press('Tab')
  }
  throw new Error('Tab never came to it')
}

async function press(page: Page, target: Locator, key = 'Enter'): Promise<void> {
  await tabTo(page, target)
  await page.keyboard.press(key)
}

/** Chooses a radio with the arrow keys, from the one that Tab comes to. */
async function choose(page: Page, radio: Locator): Promise<void> {
  await expect(radio).toBeVisible()
  const hasFocus = () =>
    page.evaluate(() => document.activeElement?.matches('[type=radio], [role=radio]') ?? false)
  for (let presses = 0; presses < 40 && !(await hasFocus()); presses += 1) {
    await page.keyboard.press('Tab')
  }
  await page.keyboard.press('Space')
  for (let presses = 0; presses < 10 && !(await radio.isChecked()); presses += 1) {
    await page.keyboard.press('ArrowDown')
  }
  await expect(radio).toBeChecked()
  await expect(radio).toBeFocused()
  await expectVisibleFocus(page)
}

const heading = (page: Page) => page.getByRole('heading', { name: 'Xero', exact: true })

test('connecting and disconnecting with the keyboard alone', async ({ page }) => {
  const admin = new SettingsPage(page)
  await page.goto(SETTINGS)
  await press(page, admin.button('Acme admin'))

  await press(page, admin.button('Connect Xero'))
  await admin.expectConsentPage()
  await choose(page, page.getByRole('radio', { name: 'Acme bookkeeper' }))
  await press(page, page.getByRole('radio', { name: 'Acme Trading Ltd' }), 'Space')
  await press(page, admin.button('Allow access'))

  // The only one just authorised is preselected.
  await expect(admin.checkbox('Acme Trading Ltd')).toBeChecked()
  await press(page, admin.checkbox('Acme Trading Ltd'), 'Space')
  await expect(admin.checkbox('Acme Trading Ltd')).not.toBeChecked()
  await page.keyboard.press('Space')
  await press(page, admin.button('Connect organisation'))
  await expect(admin.row('Acme Trading Ltd')).toContainText('Active')
  await expect(heading(page)).toBeFocused()

  const health = admin.button('Healthy, renews automatically')
  await tabTo(page, health)
  await expect(page.getByRole('tooltip')).toContainText('Access token expires')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('tooltip')).toBeHidden()

  const disconnect = admin.button('Disconnect Acme Trading Ltd')
  await press(page, disconnect)
  const dialog = page.getByRole('alertdialog', { name: 'Disconnect Acme Trading Ltd?' })
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused()

  // The focus cannot leave the dialog.
  for (let presses = 0; presses < 6; presses += 1) {
    await page.keyboard.press('Tab')
    expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true)
  }
  await page.keyboard.press('Escape')
  await expect(disconnect).toBeFocused()

  await page.keyboard.press('Enter')
  await press(page, dialog.getByRole('button', { name: 'Disconnect' }))
  await admin.expectText('No Xero organisation connected')
  await expect(heading(page)).toBeFocused()
})

test('switching to another organisation with the keyboard alone', async ({ page }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.withTwoInReach()

  const trigger = admin.button('Switch organisation Acme Trading Ltd')
  await press(page, trigger)
  await expect(admin.radio('Demo Company (NZ)')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(trigger).toBeFocused()

  await page.keyboard.press('Enter')
  await choose(page, admin.radio('Demo Company (NZ)'))
  await press(page, admin.button('Connect organisation'))
  const offer = page.getByRole('alertdialog', { name: 'Disconnect Acme Trading Ltd?' })
  await expect(offer.getByRole('button', { name: 'Keep both' })).toBeFocused()
  await press(page, offer.getByRole('button', { name: 'Disconnect' }))

  await expect(admin.row('Acme Trading Ltd')).toBeHidden()
  await expect(admin.row('Demo Company (NZ)')).toContainText('Active')
  await expect(heading(page)).toBeFocused()
})

test('reading the details and updating permissions with the keyboard alone', async ({ page }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')
  narrowGrants('accounting.invoices.read')
  await page.setViewportSize({ width: 640, height: 360 })
  await page.reload()

  const trigger = admin.button('Details of Acme Trading Ltd')
  await press(page, trigger)
  const details = page.getByRole('dialog', { name: 'Details of Acme Trading Ltd' })
  await press(page, details.getByRole('button', { name: 'Copy bindingId' }))
  await expect(details.getByText(/bindingId copied|Not copied/)).toBeAttached()
  await page.keyboard.press('Tab')
  await expect(details.getByRole('button', { name: 'Copy tenantId' })).toBeFocused()
  const last = details.getByRole('list', { name: 'Allowed at Xero' }).getByRole('listitem').last()
  await expect(last).not.toBeInViewport()
  await page.keyboard.press('End')
  await expect(last).toBeInViewport()
  await page.keyboard.press('Escape')
  await expect(trigger).toBeFocused()

  await press(page, admin.button('Update permissions'))
  await admin.expectConsentPage()
  await choose(page, page.getByRole('radio', { name: 'Acme bookkeeper' }))
  await press(page, admin.button('Continue'))
  await admin.expectText('Acme Trading Ltd reconnected')
  await expect(admin.row('Acme Trading Ltd')).toContainText('Healthy, renews automatically')
  await expect(admin.button('Update permissions')).toBeHidden()
})

test('nothing moves while the page loads', async ({ page }) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')
  await page.addInitScript(() => {
    const shifts: number[] = []
    Object.assign(window, { shifts })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shifts.push((entry as { value?: number }).value ?? 0)
    }).observe({ type: 'layout-shift', buffered: true })
  })

  await page.reload()
  await expect(admin.row('Acme Trading Ltd')).toBeVisible()
  await page.waitForTimeout(300)

  const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts)
  expect(shifts.reduce((sum, shift) => sum + shift, 0)).toBeLessThan(0.01)
})
