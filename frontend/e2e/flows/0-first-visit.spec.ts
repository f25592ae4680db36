import { expect, Person, SETTINGS, test } from './person'

const AT_MOST = 150_000

// First of the flows by its name: after the others the page lists what they did.
// C16: counted on the wire, heads and the calls of the page included; Clerk is no part of it.
test('a first visit downloads little, and a second one next to nothing', async ({ page }) => {
  const person = new Person(page)
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
  await person.says('No Xero organisation connected')
  await page.waitForLoadState('networkidle')
  const first = total()

  expect(first).toBeLessThanOrEqual(AT_MOST)
  const scripts = [...encodings].filter(([path]) => path.startsWith('/assets/'))
  expect(scripts.length).toBeGreaterThanOrEqual(3)
  expect(new Set(scripts.map(([, encoding]) => encoding))).toEqual(new Set(['br']))

  await page.goto(SETTINGS)
  await person.says('No Xero organisation connected')
  await page.waitForLoadState('networkidle')

  expect(total() - first).toBeLessThanOrEqual(AT_MOST / 10)
})
