import { expect, type Page } from '@playwright/test'

import type { MockState } from './mock-service'

/** A state that the page can be in. */
export interface State {
  name: string
  mocks?: Partial<MockState>
  query?: string
  /** Brings the page into the state and waits until it is there. */
  reach: (page: Page) => Promise<void>
  /** The state ends by itself, like a toast, so each look loads the page again. */
  isTransient?: true
}

export const sees = (text: string | RegExp) => async (page: Page) => {
  await expect(page.getByText(text).first()).toBeVisible()
}

export const presses =
  (name: string, then: (page: Page) => Promise<void>) => async (page: Page) => {
    await page.getByRole('button', { name, exact: true }).click()
    await then(page)
  }
