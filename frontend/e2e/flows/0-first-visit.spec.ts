import { expect, SettingsPage, SETTINGS, test } from './settings-page'

const AT_MOST = 150_000

// The file name makes this flow run first: later the page would list activity of other flows.
// C16: bytes on the wire, with headers and API calls; Clerk is not part of this build.
test('a first visit downloads little, and a second one next to nothing', async ({ page }) => {
  const person = new SettingsPage(page)
  const browser = await page.context().newCDPSession(page)
  const received = new Map<string, number>()
  const encodings = new Map<string, string | undefined>()
  await browser.send('Network.enable')
  browser.on('Network.responseReceived', ({ requestId, response }) => {
    received.set(requestId, response.encodedDataLength)
    const { pathname } = new URL(response.url)
    encodings.set(pathname, response.headers['content-encoding'])
  })
  browser.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    received.set(requestId, encodedDataLength)
  })
  const total = () => [...received.values()].reduce((sum, bytes) => sum + bytes, 0)

  await person.signIn('Acme admin')
  await person.expectText('No Xero organisation connected')
  await page.waitForLoadState('networkidle')
  const first = total()

  expect(first).toBeLessThanOrEqual(AT_MOST)
  const scripts = [...encodings].filter(([path]) => path.startsWith('/assets/'))
  expect(scripts.length).toBeGreaterThanOrEqual(3)
  expect(new Set(scripts.map(([, encoding]) => encoding))).toEqual(new Set(['br']))

  await page.goto(SETTINGS)
  await person.expectText('No Xero organisation connected')
  await page.waitForLoadState('networkidle')

  expect(total() - first).toBeLessThanOrEqual(AT_MOST / 10)
})
