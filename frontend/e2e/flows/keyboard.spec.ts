import type { Locator, Page } from '@playwright/test'

import { expectAccessible } from '../accessibility'
import { expect, SettingsPage, SETTINGS, test } from './settings-page'

/** Presses Tab until the element has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible()
  for (let presses = 0; presses < 40; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error('Tab never came to it')
}

async function press(page: Page, target: Locator, key = 'Enter'): Promise<void> {
  await tabTo(page, target)
  await page.keyboard.press(key)
}

async function expectAccessibleInBothThemes(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await expect(page.locator('html')).toHaveAttribute('data-theme', colorScheme)
    await expectAccessible(page)
  }
}

test('the whole flow with the keyboard alone, in both themes', async ({ page }) => {
  const admin = new SettingsPage(page)
  await page.goto(SETTINGS)
  await press(page, admin.button('Acme admin'))
  await expectAccessibleInBothThemes(page)

  await press(page, admin.button('Connect Xero'))
  await admin.expectConsentPage()
  const trading = page.getByRole('radio', { name: 'Acme Trading Ltd' })
  await press(page, trading, 'Space')
  await press(page, admin.button('Allow access'))

  // The only one just authorised is preselected.
  await expect(admin.checkbox('Acme Trading Ltd')).toBeChecked()
  await expectAccessibleInBothThemes(page)
  await press(page, admin.button('Connect organisation'))
  await expect(admin.row('Acme Trading Ltd')).toContainText('Active')
  await expect(page.getByRole('heading', { name: 'Xero', exact: true })).toBeFocused()

  const health = admin.button('Healthy, renews automatically')
  await tabTo(page, health)
  await expect(page.getByRole('tooltip')).toContainText('Access token expires')
  await expectAccessibleInBothThemes(page)
  await page.keyboard.press('Escape')
  await expect(page.getByRole('tooltip')).toBeHidden()

  await press(page, admin.button('Switch organisation Acme Trading Ltd'))
  await admin.expectText('Your sign-in to Xero reaches no other organisation')
  await page.keyboard.press('Escape')
  await expect(admin.button('Switch organisation Acme Trading Ltd')).toBeFocused()

  const disconnect = admin.button('Disconnect Acme Trading Ltd')
  await page.keyboard.press('Tab')
  await expect(disconnect).toBeFocused()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('alertdialog', { name: 'Disconnect Acme Trading Ltd?' })
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused()
  await expectAccessibleInBothThemes(page)

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
  await expect(page.getByRole('heading', { name: 'Xero', exact: true })).toBeFocused()
  await expectAccessibleInBothThemes(page)
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
