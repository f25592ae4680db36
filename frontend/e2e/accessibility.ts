import { expect, type Locator, type Page } from '@playwright/test'
import axe, { type RunOptions } from 'axe-core'

/** WCAG 2.2 AA, axe's best practices, and the rule on labels that it does not run by default. */
const RULES: RunOptions = {
  resultTypes: ['violations'],
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  rules: { 'label-content-name-mismatch': { enabled: true } },
}

const CONTRAST: RunOptions = { resultTypes: ['violations'], runOnly: ['color-contrast'] }

/**
 * Expects that axe finds no violation on the page. axe runs in the page itself, which has no
 * frames: @axe-core/playwright opens a blank page for each analysis, which takes three times as
 * long as the analysis.
 */
export const expectAccessible = (page: Page) => expectNoViolations(page.locator('html'), RULES)

/** Expects that the element appears, and that its texts have the contrast of WCAG 2.2 AA. */
export async function expectReadable(element: Locator): Promise<void> {
  await expect(element).toBeVisible()
  await expectNoViolations(element, CONTRAST)
}

async function expectNoViolations(element: Locator, rules: RunOptions): Promise<void> {
  const page = element.page()
  await waitForAnimations(page)
  const isLoaded = await page.evaluate(() => 'axe' in window)
  if (!isLoaded) await page.evaluate(axe.source)
  const violations = await element.evaluate(async (context, options) => {
    const { run } = (window as unknown as { axe: typeof axe }).axe
    return (await run(context, options)).violations
  }, rules)
  expect(violations).toEqual([])
}

/** Waits until no transition is running: axe and screenshots would see its intermediate colours. */
export async function waitForAnimations(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    document.getAnimations().every(({ playState }) => playState !== 'running'),
  )
}

/** Expects that the focused element has an outline, lies in the window, and nothing lies over it. */
export async function expectVisibleFocus(page: Page): Promise<void> {
  await expect
    .poll(() => lookOfFocus(page))
    .toEqual({ hasOutline: true, isInside: true, isOnTop: true })
}

function lookOfFocus(page: Page) {
  return page.evaluate(() => {
    const focused = document.activeElement ?? document.body
    // A card or a label may draw the outline of the control that fills it.
    const around = [focused, focused.parentElement, focused.parentElement?.parentElement]
    const drawn = around.find((element) => {
      if (!element) return false
      const { outlineStyle, outlineWidth } = getComputedStyle(element)
      return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1
    })
    if (!drawn) return { withoutOutline: focused.outerHTML.slice(0, 300) }
    const { left, right, top, bottom } = drawn.getBoundingClientRect()
    const above = document.elementFromPoint((left + right) / 2, (top + bottom) / 2)
    return {
      hasOutline: true,
      isInside: left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight,
      isOnTop: above !== null && (drawn.contains(above) || above.contains(drawn)),
    }
  })
}

export async function expectNoSidewaysScrolling(page: Page): Promise<void> {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  expect(overflow).toBeLessThanOrEqual(0)
}

/** Makes every text a third longer and accented, as a translation may be. */
export async function lengthenTexts(page: Page): Promise<void> {
  await page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
      const text = walker.currentNode.nodeValue ?? ''
      if (!/\p{L}/u.test(text) || walker.currentNode.parentElement?.closest('script, style'))
        continue
      const accented = text.replaceAll('a', 'à').replaceAll('e', 'é').replaceAll('o', 'ô')
      walker.currentNode.nodeValue = accented + 'é'.repeat(Math.ceil(text.trim().length / 3))
    }
  })
}
