import { expect, type Page } from '@playwright/test'
import axe from 'axe-core'

/**
 * Expects that axe finds no violation on the page. axe runs in the page itself, which has no
 * frames: @axe-core/playwright opens a blank page for each analysis, which takes three times as
 * long as the analysis.
 */
export async function expectAccessible(page: Page): Promise<void> {
  await waitForAnimations(page)
  const isLoaded = await page.evaluate(() => 'axe' in window)
  if (!isLoaded) await page.evaluate(axe.source)
  const violations = await page.evaluate(async () => {
    const { run } = (window as unknown as { axe: typeof axe }).axe
    return (await run({ resultTypes: ['violations'] })).violations
  })
  expect(violations).toEqual([])
}

/** Waits until no transition is running: axe and screenshots would see its intermediate colours. */
export async function waitForAnimations(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    document.getAnimations().every(({ playState }) => playState !== 'running'),
  )
}
