import { expect, test } from '@playwright/test'

import {
  expectAccessible,
  expectNoSidewaysScrolling,
  lengthenTexts,
  waitForAnimations,
} from '../accessibility'
import { collectConsoleErrors } from '../console-errors'
import { mockService } from './mock-service'
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
    const consoleErrors = collectConsoleErrors(page)
    await mockService(page, state.mocks)

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
          fullPage: await page.locator('[role=dialog], [role=alertdialog]').isHidden(),
        })
      }
      await expectNoSidewaysScrolling(page)
      await expectAccessible(page)
    }
    // The last look is that of a phone.
    await lengthenTexts(page)
    await expectNoSidewaysScrolling(page)
    expect(consoleErrors).toEqual([])
  })
}
