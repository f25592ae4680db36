import { expect, type Locator, type Page } from '@playwright/test'

import { expectNoSidewaysScrolling, expectVisibleFocus } from '../accessibility'

/** Expects that each control of a dialog can be reached by pointer and by keyboard, and is seen. */
export async function expectUsable(page: Page, dialog: Locator): Promise<void> {
  // The window has another size since a moment ago, and the dialog may still be moving.
  await expect.poll(() => controlsThatAreCovered(dialog)).toEqual([])

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

/**
 * Returns the controls of a dialog on which a pointer would meet something else. In one evaluation:
 * a round trip for each control made the test longer than its timeout on a slow machine.
 */
function controlsThatAreCovered(dialog: Locator): Promise<string[]> {
  return dialog.evaluate((root) =>
    [...root.querySelectorAll('button, input, [role=checkbox]')]
      .filter((control) => control.checkVisibility() && !control.matches(':disabled'))
      .filter((control) => {
        control.scrollIntoView({ block: 'nearest', inline: 'nearest' })
        const { left, top, width, height } = control.getBoundingClientRect()
        const found = document.elementFromPoint(left + width / 2, top + height / 2)
        return !control.contains(found) && !found?.closest('label')?.contains(control)
      })
      .map(({ outerHTML }) => outerHTML),
  )
}
