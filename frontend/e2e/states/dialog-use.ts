import { expect, type Locator, type Page } from '@playwright/test'

import { expectNoSidewaysScrolling, expectVisibleFocus } from '../accessibility'

/** Expects that each control of a dialog can be reached by pointer and by keyboard, and is seen. */
export async function expectUsable(page: Page, dialog: Locator): Promise<void> {
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

  // Tab leads around the dialog, from wherever the focus is.
  const visited = await page.evaluateHandle(() => new Set<Element | null>())
  const tabToNext = async () => {
    await page.keyboard.press('Tab')
    return visited.evaluate((all) => {
      const isNew = !all.has(document.activeElement)
      all.add(document.activeElement)
      return isNew
    })
  }
  while (await tabToNext()) await expectVisibleFocus(page)
  await expectNoSidewaysScrolling(page)
  const cutOff = await dialog.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)
  expect(cutOff).toBeLessThanOrEqual(0)
}
