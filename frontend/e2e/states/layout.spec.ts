import { expect, test, type Locator, type Page } from '@playwright/test'

import { binding } from '../../src/testing/fixtures'
import { expectNoSidewaysScrolling } from '../accessibility'
import { mockService } from './mock-service'

const UNBROKEN = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'

test.use({ reducedMotion: 'reduce' })

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
