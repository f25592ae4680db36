import AxeBuilder from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'

import { complaintsOf } from '../complaints'
import { standIn } from './stand-in'
import { STATES } from './states'

/** Where to put pictures for a person to look at, when somebody asks for them. */
const pictures = process.env['PICTURES']

const LOOKS = [
  { theme: 'light', width: 1280, height: 900 },
  { theme: 'dark', width: 360, height: 740 },
  // The other two differ in nothing that a machine would notice.
  ...(pictures
    ? ([
        { theme: 'dark', width: 1280, height: 900 },
        { theme: 'light', width: 360, height: 740 },
      ] as const)
    : []),
] as const

for (const { theme, width, height } of LOOKS) {
  test.describe(`${theme} at ${width}`, () => {
    test.use({ colorScheme: theme, viewport: { width, height }, reducedMotion: 'reduce' })

    for (const state of STATES) {
      test(state.name, async ({ page }) => {
        const complaints = complaintsOf(page)
        await standIn(page, state.world)
        await page.goto(`/settings/integrations${state.query ?? ''}`)
        await state.reach(page)

        await page.waitForTimeout(50) // the last transition, cut short by reduced motion
        if (pictures) {
          await page.screenshot({
            path: `${pictures}/${state.name}-${theme}-${width}.png`,
            fullPage: await page.getByRole('dialog').isHidden(),
          })
        }
        await expectNoSidewaysScrolling(page)
        expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([])
        expect(complaints).toEqual([])
      })
    }
  })
}

async function expectNoSidewaysScrolling(page: Page): Promise<void> {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  expect(overflow).toBeLessThanOrEqual(0)
}
