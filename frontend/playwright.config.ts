import { defineConfig, type Project } from '@playwright/test'

/** The URL of the running service, set by `python -m demo.around npm run e2e`. */
const service = process.env['XERO_SERVICE_URL']
const preview = 'http://localhost:4173'

/** The built page in every state, against a mocked service. */
const states: Project = {
  name: 'states',
  testMatch: 'states/**/*.spec.ts',
  fullyParallel: true,
  // A state of a dialog takes 20 seconds on a machine with other work.
  timeout: 120_000,
}

/** User journeys with the real service, sandbox and PostgreSQL; one at a time, because they share them. */
const flows: Project = {
  name: 'flows',
  testMatch: 'flows/**/*.spec.ts',
  workers: 1,
  timeout: 60_000,
}

/** The package in a host application, which `scripts/check-hosts.mjs` serves. */
const host = process.env['HOST']
const hosts: Project = {
  name: host ?? 'hosts',
  testMatch: 'hosts/**/*.spec.ts',
  workers: 1,
  timeout: 60_000,
}

const asRoot = process.getuid?.() === 0

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  forbidOnly: Boolean(process.env['CI']),
  workers: 2,
  reporter: process.env['CI'] ? 'line' : 'list',
  timeout: 45_000,
  expect: { timeout: 10_000 },
  projects: host ? [hosts] : service ? [flows, states] : [states],
  use: {
    baseURL: host ? process.env['XERO_FRONTEND_URL'] : (service ?? preview),
    // The system's browser: nothing is downloaded.
    channel: 'chromium',
    launchOptions: {
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: [
        ...(asRoot ? ['--no-sandbox'] : []),
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    },
    // A trace of every test doubles its time; `--trace on` asks for one.
    screenshot: 'only-on-failure',
  },
  ...(!service && {
    webServer: {
      command: 'npm run preview -- --port 4173 --strictPort',
      url: preview,
      reuseExistingServer: !process.env['CI'],
    },
  }),
})
