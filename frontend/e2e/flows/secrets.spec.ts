import { createHash } from 'node:crypto'

import type { BrowserContext, Page, Request } from '@playwright/test'

import { expect, SettingsPage, SETTINGS, test } from './settings-page'
import {
  refreshTokenFingerprints,
  SANDBOX,
  sampleTokens,
  SERVICE,
  withShortLivedTokens,
} from './sandbox'

/** Everything that the browser sent and received, as text. */
class NetworkLog {
  readonly #reading: Promise<string>[] = []

  constructor(context: BrowserContext) {
    context.on('requestfinished', (request) => this.#reading.push(this.#read(request)))
  }

  async #read(request: Request): Promise<string> {
    const response = await request.response()
    const body = await response?.text().catch(() => '')
    const headers = [await request.allHeaders(), await response?.allHeaders()]
    return [request.url(), request.postData(), JSON.stringify(headers), body].join('\n')
  }

  async text(): Promise<string> {
    return (await Promise.all(this.#reading)).join('\n')
  }
}

/** Everything that the page stores or shows: storage, cookies and the document. */
async function kept(page: Page): Promise<string> {
  const inPage = await page.evaluate(async () =>
    JSON.stringify([
      Object.entries(localStorage),
      Object.entries(sessionStorage),
      await indexedDB.databases(),
      await caches.keys(),
      document.documentElement.outerHTML,
    ]),
  )
  return inPage + JSON.stringify(await page.context().cookies())
}

/** The Xero tokens in a text: access tokens by who issued them, refresh tokens by fingerprint. */
function xeroTokensIn(text: string, refreshTokens: readonly string[]): string[] {
  const words = new Set(text.match(/[\w.~+/=-]{20,}/g) ?? [])
  return [...words].filter((word) => {
    const fingerprint = createHash('sha256').update(word).digest('hex').slice(0, 12)
    return refreshTokens.includes(fingerprint) || issuerOf(word)?.startsWith(`${SANDBOX}/identity`)
  })
}

function issuerOf(word: string): string | undefined {
  try {
    const claims = Buffer.from(word.split('.')[1] ?? '', 'base64url').toString()
    return (JSON.parse(claims) as { iss?: string }).iss
  } catch {
    return undefined
  }
}

test('S52: no Xero token in storage, cookies, document or network log, ever', async ({ page }) => {
  const log = new NetworkLog(page.context())
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await withShortLivedTokens(() => admin.connect('Acme bookkeeper', 'Acme Trading Ltd'))
  await admin.button('Refresh Tokens').click()
  await admin.expectText('1 token refreshed')
  await page.reload()
  await admin.button('Switch organisation Acme Trading Ltd').click()
  await admin.expectText('Your sign-in to Xero reaches no other organisation')
  const everything = (await log.text()) + (await kept(page))

  const refreshTokens = await refreshTokenFingerprints()
  expect(refreshTokens.length).toBeGreaterThanOrEqual(2)
  expect(xeroTokensIn(everything, refreshTokens)).toEqual([])
  expect(everything).toContain('Acme Trading Ltd')

  // The search finds tokens that are there.
  const { accessToken, refreshToken } = await sampleTokens()
  const planted = `${everything} "accessToken":"${accessToken}", ${refreshToken};`
  expect(xeroTokensIn(planted, await refreshTokenFingerprints())).toEqual(
    expect.arrayContaining([accessToken, refreshToken]),
  )
})

test('S52: the page stores which session and which organisation, nothing else', async ({
  page,
}) => {
  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')

  const stored = await page.evaluate(() => [
    ...Object.entries(sessionStorage),
    ...Object.entries(localStorage),
  ])
  expect(stored).toEqual([
    ['sandbox-session', JSON.stringify({ sessionId: await admin.sessionId(), orgId: 'org_acme' })],
  ])
  const cookies = await page.context().cookies()
  expect(cookies.filter(({ httpOnly }) => !httpOnly)).toEqual([])
})

test('S46: the page is served under a policy without inline scripts, and keeps it', async ({
  page,
  consoleErrors,
}) => {
  const answer = await page.goto(SETTINGS)
  const headers = answer?.headers() ?? {}
  const policy = Object.fromEntries(
    (headers['content-security-policy'] ?? '').split(';').map((directive) => {
      const [name = '', ...sources] = directive.trim().split(' ')
      return [name, sources]
    }),
  )
  expect(policy['default-src']).toEqual(["'self'"])
  expect(policy['script-src']).toContain("'self'")
  for (const unsafe of ["'unsafe-inline'", "'unsafe-eval'", '*', 'data:']) {
    expect(policy['script-src']).not.toContain(unsafe)
  }
  expect(policy['frame-ancestors']).toEqual(["'none'"])
  expect(headers['x-content-type-options']).toBe('nosniff')
  expect(page.url()).toBe(SERVICE + SETTINGS)

  const admin = new SettingsPage(page)
  await admin.signIn('Acme admin')
  await admin.connect('Acme bookkeeper', 'Acme Trading Ltd')
  await admin.button('Refresh Tokens').click()
  await admin.expectText('All tokens are up to date')
  expect(consoleErrors).toEqual([])
})
