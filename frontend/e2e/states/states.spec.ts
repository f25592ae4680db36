import { expect, test, type Page } from '@playwright/test'

import {
  expectAccessible,
  expectNoSidewaysScrolling,
  lengthenTexts,
  waitForAnimations,
} from '../accessibility'
import { collectConsoleErrors } from '../console-errors'
import { expectUsable } from './dialog-use'
import { DIALOGS } from './dialogs'
import { mockService } from './mock-service'
import { STATES } from './states'

/** The folder for screenshots of every state, when PICTURES asks for them. */
const pictures = process.env['PICTURES']

interface Look {
  theme: 'light' | 'dark'
  width: number
  height: number
  forcedColors?: 'active'
}

const PHONE = { width: 360, height: 740 }

const LOOKS: readonly Look[] = [
  { theme: 'light', width: 1280, height: 900 },
  { theme: 'dark', ...PHONE },
]

/** These show nothing more to a machine, only to a person. */
const LOOKS_FOR_PICTURES: readonly Look[] = [
  { theme: 'dark', width: 1280, height: 900 },
  { theme: 'light', width: 768, height: 1024 },
  { theme: 'dark', width: 768, height: 1024 },
  { theme: 'light', width: 768, height: 1024, forcedColors: 'active' },
  { theme: 'dark', width: 768, height: 1024, forcedColors: 'active' },
  { theme: 'light', ...PHONE },
]

/** A desktop at a zoom of 400 %, and a phone on its side. */
const LOW_WINDOWS = [
  { width: 320, height: 256 },
  { width: 640, height: 360 },
]

/**
 * The time of the page. The fixtures count from when they are loaded, once per worker, so in a long
 * run "56 minutes ago" would become "1 hour ago".
 */
const LOADED_AT = Date.now()

test.use({ reducedMotion: 'reduce' })

for (const state of STATES) {
  test(state.name, async ({ page }) => {
    const consoleErrors = collectConsoleErrors(page)
    await page.clock.setFixedTime(LOADED_AT)
    await mockService(page, state.mocks)

    for (const [index, look] of (pictures ? [...LOOKS_FOR_PICTURES, ...LOOKS] : LOOKS).entries()) {
      const { forcedColors = 'none' } = look
      await page.emulateMedia({ colorScheme: look.theme, forcedColors })
      await page.setViewportSize(look)
      if (index === 0 || state.isTransient) {
        await page.goto(`/settings/integrations${state.query ?? ''}`)
        await state.reach(page)
      }

      await expect(page.locator('html')).toHaveAttribute('data-theme', look.theme)
      await waitForAnimations(page)
      if (pictures) {
        const name = [state.name, look.width, look.theme, look.forcedColors].filter(Boolean)
        await takePicture(page, `${pictures}/${name.join('-')}.png`)
      }
      await expectNoSidewaysScrolling(page)
      if (LOOKS.includes(look)) await expectAccessible(page)
    }
    if (DIALOGS.includes(state)) {
      const dialog = page.locator('[role=dialog], [role=alertdialog]')
      await expect(dialog).toMatchAriaSnapshot({ name: `${state.name}.aria.yml` })
      for (const size of LOW_WINDOWS) {
        await page.setViewportSize(size)
        await expectUsable(page, dialog)
        if (pictures) await takePicture(page, `${pictures}/${state.name}-${size.width}.png`)
      }
    }
    // Lengthened texts are looked at in the window of a phone.
    await page.setViewportSize(PHONE)
    await lengthenTexts(page)
    await expectNoSidewaysScrolling(page)
    expect(consoleErrors).toEqual([])
  })
}

async function takePicture(page: Page, path: string): Promise<void> {
  const fullPage = await page.locator('[role=dialog], [role=alertdialog]').isHidden()
  await page.screenshot({ path, fullPage })
}
