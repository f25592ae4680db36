/** A5: the package in host applications, built for production, against the real service. */
import type { Locator, Page, Request } from '@playwright/test'

import { expectReadable } from '../accessibility'
import { injectFault, clearFaults, SERVICE } from '../flows/sandbox'
import { expect, SettingsPage, test } from '../flows/settings-page'
import { SHADCN_THEME } from './shadcn-theme'

const REFRESH = `${SERVICE}/api/integrations/xero/refresh`

/** The organisation of each refresh request that the page has sent. */
function recordRefreshes(page: Page): string[] {
  const orgs: string[] = []
  page.on('request', (request) => {
    if (request.url() === REFRESH && request.method() === 'POST') orgs.push(orgOf(request))
  })
  return orgs
}

function orgOf(request: Request): string {
  const [, claims = ''] = (request.headers()['authorization'] ?? '').split('.')
  const { o } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { o?: { id: string } }
  return o?.id ?? 'none'
}

const organisation = (page: Page) => page.getByRole('combobox', { name: 'Organisation' })

test('the refresher sends one request on arrival and one for each switch', async ({ page }) => {
  const refreshes = recordRefreshes(page)
  await page.goto('/')
  await expect.poll(() => refreshes).toEqual(['org_acme'])

  await page.getByRole('button', { name: 'Rendered 0' }).click()
  await expect(page.getByRole('button', { name: 'Rendered 1' })).toBeVisible()
  const answered = page.waitForResponse(REFRESH)
  await organisation(page).selectOption('Globex')
  await answered
  expect(refreshes).toEqual(['org_acme', 'org_globex'])

  await page.getByRole('button', { name: 'Rendered 1' }).click()
  const answeredAgain = page.waitForResponse(REFRESH)
  await organisation(page).selectOption('Acme')
  await answeredAgain
  expect(refreshes).toEqual(['org_acme', 'org_globex', 'org_acme'])
})

test('an admin connects, is told of a silent refresh, and disconnects', async ({ page }) => {
  const admin = new SettingsPage(page)
  await page.goto('/')
  await page.getByRole('link', { name: 'Settings' }).click()
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible()
  await admin.expectText('No Xero organisation connected')

  const changes = { expires_in: 120 }
  await injectFault({ kind: 'token', fault: 'changed_fields', when: 'after', times: null, changes })
  await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')
  await clearFaults()
  await expect(page).toHaveURL(/\/settings\/integrations$/)

  await organisation(page).selectOption('Globex')
  await admin.expectText('No Xero organisation connected')
  await organisation(page).selectOption('Acme')
  await admin.expectText('Xero connection refreshed')

  await admin.button('Disconnect Acme Trading Ltd').click()
  await page.getByRole('button', { name: 'Disconnect', exact: true }).last().click()
  await admin.expectText('No Xero organisation connected')
})

test("the host's theme applies to the page, and neither changes the other", async ({ page }) => {
  const admin = new SettingsPage(page)
  await page.goto('/settings/integrations')
  const connect = admin.button('Connect Xero')
  await expect(connect).toHaveCSS('background-color', await colorOf(page, 'var(--primary)'))
  await expect(connect).toHaveCSS('border-style', 'solid')
  await expect(connect).toHaveCSS('font-family', 'Georgia, serif')

  const hostButton = page.getByRole('button', { name: /^Rendered/ })
  await expect(hostButton).toHaveCSS('border-style', 'dashed')
  await expect(hostButton).toHaveCSS('font-size', '24px')
  await expect(page.getByRole('heading', { level: 1 })).toHaveCSS('font-size', '40px')
  await page.goto('/')
  await expect(page.getByText('A class of the host')).toBeVisible()
})

test('the package registers no variable that another Tailwind of the host may use', async ({
  page,
}) => {
  await page.goto('/settings/integrations')
  const names = await page.evaluate(() =>
    [...document.styleSheets]
      .flatMap(({ cssRules }) => [...cssRules])
      .filter((rule) => rule instanceof CSSPropertyRule)
      .map(({ name }) => name),
  )
  expect(names).not.toEqual([])
  expect(names.filter((name) => !name.startsWith('--xero-'))).toEqual([])
})

test('a dialog has the styles, although the page moves it to the body', async ({ page }) => {
  const admin = new SettingsPage(page)
  await page.goto('/settings/integrations')
  await admin.startConnecting()
  await admin.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')

  await expect(admin.selectDialog()).toHaveCSS('position', 'fixed')
  await expect(admin.button('Cancel')).not.toHaveCSS('border-style', 'dashed')
})

test('where the host is dark as the operating system is, so is all that the package shows', async ({
  page,
}) => {
  const admin = new SettingsPage(page)
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.goto('/settings/integrations')
  await expectDark(page.getByText('No Xero organisation connected'))
  await expectReadable(page.getByRole('main'))

  await admin.startConnecting()
  await admin.allowAccess('Acme bookkeeper', 'Acme Trading Ltd')
  await expectDark(admin.selectDialog())
  await admin.button('Connect organisation').click()
  await expectDark(page.getByText('Acme Trading Ltd connected'))
  const health = page.getByText('Healthy, renews automatically')
  await health.hover()
  await expectDark(page.locator('[data-slot=tooltip-content]'))
  await expectReadable(page.getByRole('main'))
  await health.press('Escape')

  await admin.button('Details of Acme Trading Ltd').click()
  await expectDark(page.getByRole('dialog', { name: 'Details of Acme Trading Ltd' }))
  await page.keyboard.press('Escape')
  await admin.button('Disconnect Acme Trading Ltd').click()
  await expectDark(page.getByRole('alertdialog'))
})

test("texts can be read with shadcn/ui's own theme, light and dark", async ({ page }) => {
  const admin = new SettingsPage(page)
  await page.goto('/settings/integrations')
  await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')
  await page.addStyleTag({ content: SHADCN_THEME })
  for (const theme of ['light', 'dark']) {
    await page.evaluate((name) => (document.documentElement.className = name), theme)
    await expectReadable(page.getByRole('main'))

    await admin.button('Details of Acme Trading Ltd').click()
    await expectReadable(page.getByRole('dialog', { name: 'Details of Acme Trading Ltd' }))
    await page.keyboard.press('Escape')
    await admin.button('Disconnect Acme Trading Ltd').click()
    await expectReadable(page.getByRole('alertdialog'))
    await page.keyboard.press('Escape')
    await expect(page.getByRole('alertdialog')).toBeHidden()
  }
  await expectDark(admin.row('Acme Trading Ltd'))
})

/** Expects that the element appears on a dark ground, and that its texts can be read. */
async function expectDark(element: Locator): Promise<void> {
  await expectReadable(element)
  expect(await lightnessBehind(element)).toBeLessThan(40)
}

/** Returns the lightness, 0 to 100, of the nearest opaque background of the element or around it. */
function lightnessBehind(element: Locator): Promise<number> {
  return element.evaluate((start) => {
    const canvas = document.createElement('canvas').getContext('2d')
    if (!canvas) throw new Error('no canvas')
    for (let around: Element | null = start; around; around = around.parentElement) {
      canvas.clearRect(0, 0, 1, 1)
      canvas.fillStyle = getComputedStyle(around).backgroundColor
      canvas.fillRect(0, 0, 1, 1)
      const [red = 0, green = 0, blue = 0, alpha = 0] = canvas.getImageData(0, 0, 1, 1).data
      if (alpha === 255) return (Math.max(red, green, blue) / 255) * 100
    }
    return 100 // the page is white
  })
}

/** Resolves a colour as the browser computes it for the host. */
function colorOf(page: Page, value: string): Promise<string> {
  return page.evaluate((color) => {
    const probe = document.body.appendChild(document.createElement('i'))
    probe.style.backgroundColor = color
    const computed = getComputedStyle(probe).backgroundColor
    probe.remove()
    return computed
  }, value)
}
