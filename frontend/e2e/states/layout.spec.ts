import { expect, test, type Locator, type Page } from '@playwright/test'

import { eventful } from '../../src/testing/activity'
import { binding, tenant } from '../../src/testing/fixtures'
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

test('the names stay inside the dialogs, and inside their buttons', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 })
  const unbroken = binding({ tenantName: UNBROKEN })
  await mockService(page, { bindings: [unbroken], tenants: [tenant({ tenantName: UNBROKEN })] })
  for (const query of [
    `?reconnect=${unbroken.id}`,
    `?action=select_tenant&grantId=g1&unreached=${unbroken.id}`,
  ]) {
    await page.goto(`/settings/integrations${query}`)
    const dialog = page.getByRole('dialog')
    await expect(dialog).toContainText(UNBROKEN)
    await expectInside(page, dialog)
  }
})

for (const width of [320, 360]) {
  test(`all tabs of the details fit into a window of ${width} pixels`, async ({ page }) => {
    await page.setViewportSize({ width, height: 740 })
    await mockService(page, { bindings: [binding()], activity: eventful })
    await page.goto('/settings/integrations')
    await page.getByRole('button', { name: 'Details of Acme Trading Ltd' }).click()
    const list = page.getByRole('tablist')
    await expect(list.getByRole('tab')).toHaveText(['Connection', 'In your service', 'Activity'])

    expect(await list.evaluate((box) => box.scrollWidth - box.clientWidth)).toBeLessThanOrEqual(0)
  })
}

test('forced colours leave the dot of a row and the shape of buttons', async ({ page }) => {
  await page.emulateMedia({ forcedColors: 'active' })
  await mockService(page, { bindings: [binding()] })
  await page.goto('/settings/integrations')
  const health = page.getByRole('button', { name: 'Healthy, renews automatically' })
  const text = await health.evaluate((element) => getComputedStyle(element).color)

  await expect(health.locator('span').first()).toHaveCSS('background-color', text)
  await expect(page.getByRole('button', { name: 'Connect Xero' })).toHaveCSS('border-color', text)
})

// In forced colours a disabled control is grey; half transparent as well, it could not be read.
test('forced colours show a disabled button in full', async ({ page }) => {
  await page.emulateMedia({ forcedColors: 'active' })
  await mockService(page, { tenants: [] })
  await page.goto('/settings/integrations?action=select_tenant&grantId=g1')
  const connect = page.getByRole('button', { name: 'Connect organisation' })

  await expect(connect).toBeDisabled()
  await expect(connect).toHaveCSS('opacity', '1')
})

test('a phone shows the actions of a row on one line', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 })
  await mockService(page, { bindings: [binding()] })
  await page.goto('/settings/integrations')
  const actions = page.getByRole('button', { name: /^(Details of|Switch|Disconnect) / })
  await expect(actions).toHaveCount(3)

  const tops = await actions.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top))
  expect(new Set(tops).size).toBe(1)
})

test.describe('where exact times are long', () => {
  test.use({ locale: 'pt-BR', timezoneId: 'Pacific/Auckland' })

  test('they stay inside their tooltip on a phone', async ({ page }) => {
    await page.setViewportSize({ width: 360, height: 740 })
    await mockService(page, { bindings: [binding()] })
    await page.goto('/settings/integrations')
    await page.getByRole('button', { name: 'Healthy, renews automatically' }).focus()
    await expect(page.getByRole('tooltip').first()).toBeVisible()

    await expectInside(page, page.getByRole('main'))
  })
})

/** Expects that no text of `container` reaches out of the window. */
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
