import { expect, test, type Locator, type Page } from '@playwright/test'

import { binding, manyTenants } from '../../src/testing/fixtures'
import { expectNoSidewaysScrolling } from '../accessibility'
import { mockService } from './mock-service'

/** A desktop at a zoom of 400 %, and a phone on its side. */
const LOW_WINDOWS = [
  { width: 320, height: 256 },
  { width: 667, height: 375 },
]

const UNBROKEN = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'

test.use({ reducedMotion: 'reduce' })

// Each control can be scrolled to, and nothing lies over it then.
for (const viewport of LOW_WINDOWS) {
  const size = `${viewport.width} × ${viewport.height}`
  test.describe(`in a window of ${size}`, () => {
    test.use({ viewport })

    test('every control of the dialog that chooses can be reached', async ({ page }) => {
      await mockService(page, { tenants: manyTenants })
      await page.goto('/settings/integrations?action=select_tenant&grantId=g1')
      const dialog = page.getByRole('dialog')
      await expect(dialog.getByText('Auckland Branch Ltd')).toBeVisible()
      await expectReachable(page, dialog)
    })

    test('every control of the question before disconnecting can be reached', async ({ page }) => {
      await mockService(page, { bindings: [binding()] })
      await page.goto('/settings/integrations')
      await page.getByRole('button', { name: 'Disconnect Acme Trading Ltd' }).click()
      const dialog = page.getByRole('alertdialog')
      await expect(dialog).toBeVisible()
      await expectReachable(page, dialog)
    })
  })
}

// Names of Xero's users may have no space at which a line breaks.
test('unbroken names stay inside a phone', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 })
  await mockService(page, {
    bindings: [
      binding({
        tenantName: UNBROKEN,
        connectedBy: { userId: 'u1', xeroName: null, xeroEmail: `${UNBROKEN}@example.com` },
      }),
    ],
  })
  await page.goto('/settings/integrations')
  await expect(page.getByRole('heading', { name: UNBROKEN })).toBeVisible()
  await expectNoSidewaysScrolling(page)
  await expectInside(page, page.getByRole('main'))

  await page.getByRole('button', { name: `Disconnect ${UNBROKEN}` }).click()
  await expect(page.getByRole('alertdialog')).toBeVisible()
  await expectInside(page, page.getByRole('alertdialog'))
})

async function expectReachable(page: Page, dialog: Locator): Promise<void> {
  for (const control of await dialog.locator('button, input, [role=checkbox]').all()) {
    if (!(await control.isVisible()) || (await control.isDisabled())) continue
    await control.scrollIntoViewIfNeeded()
    const isOnTop = await control.evaluate((element) => {
      const { left, top, width, height } = element.getBoundingClientRect()
      const found = document.elementFromPoint(left + width / 2, top + height / 2)
      return (
        found !== null &&
        (element.contains(found) || (found.closest('label')?.contains(element) ?? false))
      )
    })
    expect(isOnTop, await control.evaluate((element) => element.outerHTML)).toBe(true)
  }
  await expectNoSidewaysScrolling(page)
}

/** Expects that no text is wider than `container`. */
async function expectInside(page: Page, container: Locator): Promise<void> {
  const width = page.viewportSize()?.width ?? 0
  const overflowing = await container.evaluate((root, limit) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
    const found: string[] = []
    while (walker.nextNode()) {
      if (walker.currentNode.parentElement?.closest('.sr-only')) continue
      const range = document.createRange()
      range.selectNodeContents(walker.currentNode)
      if (range.getBoundingClientRect().right > limit)
        found.push(walker.currentNode.textContent ?? '')
    }
    return found
  }, width)
  expect(overflowing).toEqual([])
}
