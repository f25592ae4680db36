import { expect, test as base, type Locator, type Page } from '@playwright/test'

import { collectConsoleErrors } from '../console-errors'
import { forgetChecks, resetStack } from './sandbox'

export const SETTINGS = '/settings/integrations'

/** Resets the stack before each flow, and expects no console errors after it. */
export const test = base.extend<{ consoleErrors: string[] }>({
  consoleErrors: [
    async ({ page }, use) => {
      await resetStack()
      const consoleErrors = collectConsoleErrors(page)
      await use(consoleErrors)
      expect(consoleErrors).toEqual([])
    },
    { auto: true },
  ],
})

export { expect }

/** Page object of the settings page and Xero's consent page. */
export class SettingsPage {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  button = (name: string) => this.page.getByRole('button', { name, exact: true })
  row = (tenantName: string) => this.page.getByRole('listitem', { name: tenantName })
  checkbox = (tenantName: string) => this.page.getByRole('checkbox', { name: tenantName })
  radio = (tenantName: string) => this.page.getByRole('radio', { name: tenantName })
  selectDialog = () => this.page.getByRole('dialog', { name: 'Select a Xero organisation' })
  expectText = (text: string | RegExp) => expect(this.page.getByText(text).first()).toBeVisible()

  async signIn(name: string, path = SETTINGS): Promise<void> {
    await this.page.goto(path)
    await this.button(name).click()
    await expect(this.page.getByRole('heading', { name: 'Sign in' })).toBeHidden()
  }

  async startConnecting(): Promise<void> {
    await this.button('Connect Xero').click()
    await this.expectConsentPage()
  }

  async expectConsentPage(): Promise<void> {
    await expect(this.page.getByRole('radiogroup', { name: 'Xero user' })).toBeVisible()
  }

  /** On the consent page: signs in as a Xero user and allows access to an organisation. */
  async allowAccess(xeroUser: string, organisation: string): Promise<void> {
    await this.page.getByRole('radio', { name: xeroUser }).check()
    await this.page.getByRole('radio', { name: organisation }).check()
    await this.button('Allow access').click()
  }

  /** On the consent page: allows access again, where Xero lists what is connected already. */
  async allowAgain(xeroUser: string): Promise<void> {
    await this.page.getByRole('radio', { name: xeroUser }).check()
    await this.button('Continue').click()
  }

  /** Closes the dialog after a consent; Xero's consent page, which may still be there, has a "Cancel", too. */
  async chooseNothing(): Promise<void> {
    const dialog = this.selectDialog()
    // The list takes another height than its skeleton: a click meanwhile would miss the button.
    await expect(dialog.getByRole('checkbox').first()).toBeVisible()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await expect(dialog).toBeHidden()
  }

  async connect(xeroUser: string, organisation: string): Promise<void> {
    await this.startConnecting()
    await this.allowAccess(xeroUser, organisation)
    await expect(this.checkbox(organisation)).toBeChecked()
    await this.button('Connect organisation').click()
    await expect(this.row(organisation)).toContainText('Active')
  }

  /** Presses "Refresh Tokens" until it shows what Xero has changed; upkeep may check meanwhile. */
  async refreshUntil(shown: Locator): Promise<void> {
    await expect(async () => {
      forgetChecks()
      await this.button('Refresh Tokens').click()
      await expect(shown).toBeVisible({ timeout: 20_000 })
    }).toPass()
  }

  /** Connects "Acme Trading Ltd"; "Demo Company (NZ)" can be connected without a new consent. */
  async withTwoInReach(): Promise<void> {
    await this.startConnecting()
    await this.allowAccess('Acme bookkeeper', 'Demo Company (NZ)')
    await this.chooseNothing()
    await this.connect('Acme bookkeeper', 'Acme Trading Ltd')
  }

  async sessionId(): Promise<string> {
    const stored = await this.page.evaluate(() => sessionStorage.getItem('sandbox-session'))
    return (JSON.parse(stored ?? '{}') as { sessionId: string }).sessionId
  }
}
