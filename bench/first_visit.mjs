// Opens a page with an empty cache on a slow connection, then signs in: `node first_visit.mjs ADDRESS VISITS`; prints JSON.
import { createRequire } from 'node:module'

const { chromium } = createRequire(new URL('../frontend/package.json', import.meta.url))(
  '@playwright/test',
)
const [address, visits] = process.argv.slice(2)
const CONNECTION = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 93_750 }

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--disable-gpu', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
})
const found = []
for (let visit = 0; visit < Number(visits); visit += 1) {
  const context = await browser.newContext()
  const page = await context.newPage()
  const devtools = await context.newCDPSession(page)
  let bytes = 0
  devtools.on('Network.loadingFinished', (event) => (bytes += event.encodedDataLength))
  await devtools.send('Network.enable')
  await devtools.send('Network.emulateNetworkConditions', CONNECTION)
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: 4 })
  await page.addInitScript(() => {
    window.shift = 0
    new PerformanceObserver((list) => {
      window.largest = list.getEntries().at(-1).startTime
    }).observe({ type: 'largest-contentful-paint', buffered: true })
    new PerformanceObserver((list) => {
      for (const { value } of list.getEntries()) window.shift += value
    }).observe({ type: 'layout-shift', buffered: true })
  })
  await page.goto(address)
  await page.getByRole('button').first().waitFor()
  await page.waitForLoadState('networkidle')
  const visited = { milliseconds: await page.evaluate(() => window.largest), bytes }
  await page.getByRole('button', { name: 'Acme admin' }).click()
  await page.getByRole('button', { name: 'Connect Xero' }).waitFor()
  await page.waitForLoadState('networkidle')
  found.push({ ...visited, shift: await page.evaluate(() => window.shift) })
  await context.close()
}
await browser.close()
console.log(JSON.stringify(found))
