import { expect, test, type Page } from '@playwright/test'

import { expectAccessible } from '../accessibility'
import { complaintsOf } from '../complaints'
import { standIn } from './stand-in'
import { STATES } from './states'

/** The folder for screenshots of every state, when PICTURES asks for them. */
const pictures = process.env['PICTURES']

const LOOKS = [
  { theme: 'light', width: 1280, height: 900 },
  { theme: 'dark', width: 360, height: 740 },
  // The other two combinations show nothing more to a machine, only to a person.
  ...(pictures
    ? ([
        { theme: 'dark', width: 1280, height: 900 },
        { theme: 'light', width: 360, height: 740 },
      ] as const)
    : []),
] as const

test.use({ reducedMotion: 'reduce' })

for (const state of STATES) {
  test(state.name, async ({ page }) => {
    const complaints = complaintsOf(page)
    await standIn(page, state.world)

    for (const [index, { theme, width, height }] of LOOKS.entries()) {
      await page.emulateMedia({ colorScheme: theme })
      await page.setViewportSize({ width, height })
      if (index === 0 || state.isTransient) {
        await page.goto(`/settings/integrations${state.query ?? ''}`)
        await state.reach(page)
      }

      await expect(page.locator('html')).toHaveAttribute('data-theme', theme)
      await waitForAnimations(page)
      if (pictures) {
        await page.screenshot({
          path: `${pictures}/${state.name}-${theme}-${width}.png`,
          fullPage: await page.getByRole('dialog').isHidden(),
        })
      }
      await expectNoSidewaysScrolling(page)
      await expectAccessible(page)
    }
    expect(complaints).toEqual([])
  })
}

/** Reduced motion ends every animation within a frame or two. */
async function waitForAnimations(page: Page): Promise<void> {
  await page.evaluate(() =>
    Promise.allSettled(document.getAnimations().map(({ finished }) => finished)),
  )
}

async function expectNoSidewaysScrolling(page: Page): Promise<void> {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  expect(overflow).toBeLessThanOrEqual(0)
}
