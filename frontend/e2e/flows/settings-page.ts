import { expect, test as base, type Page } from '@playwright/test'

import { complaintsOf } from '../complaints'
import { freshStart } from './sandbox'

export const SETTINGS = '/settings/integrations'

/** Every flow starts from nothing, and ends with a browser that had nothing to complain about. */
export const test = base.extend<{ quiet: string[] }>({
  quiet: [
    async ({ page }, use) => {
      await freshStart()
      const complaints = complaintsOf(page)
      await use(complaints)
      expect(complaints).toEqual([])
    },
    { auto: true },
  ],
})

export { expect }

/** What a person does on the settings page. */
export class Person {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  button = (name: string) => this.page.getByRole('button', { name, exact: true })
  row = (tenantName: string) => this.page.getByRole('listitem', { name: tenantName })
  radio = (tenantName: string) => this.page.getByRole('radio', { name: tenantName })
  chooser = () => this.page.getByRole('dialog', { name: 'Select a Xero organisation' })
  says = (text: string | RegExp) => expect(this.page.getByText(text).first()).toBeVisible()

  async signIn(name: string, path = SETTINGS): Promise<void> {
    await this.page.goto(path)
    await this.button(name).click()
    await expect(this.page.getByRole('heading', { name: 'Sign in' })).toBeHidden()
  }

  async startConnecting(): Promise<void> {
    await this.button('Connect Xero').click()
    await this.isAtXero()
  }

  async isAtXero(): Promise<void> {
    await expect(this.page.getByRole('radiogroup', { name: 'Xero user' })).toBeVisible()
  }

  /** On Xero's consent page: signs in as a Xero user and shares an organisation. */
  async allow(xeroUser: string, organisation: string): Promise<void> {
    await this.page.getByRole('radio', { name: xeroUser }).check()
    await this.page.getByRole('radio', { name: organisation }).check()
    await this.button('Allow access').click()
  }

  async connects(xeroUser: string, organisation: string): Promise<void> {
    await this.startConnecting()
    await this.allow(xeroUser, organisation)
    await expect(this.radio(organisation)).toBeChecked()
    await this.button('Connect organisation').click()
    await expect(this.row(organisation)).toContainText('Active')
  }

  async sessionId(): Promise<string> {
    const stored = await this.page.evaluate(() => sessionStorage.getItem('sandbox-session'))
    return (JSON.parse(stored ?? '{}') as { sessionId: string }).sessionId
  }
}
