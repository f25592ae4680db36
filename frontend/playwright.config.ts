import { defineConfig } from '@playwright/test'

const asRoot = process.getuid?.() === 0

/**
 * `states` shows the built page in every state, with the service's answers made up.
 * `flows` uses the real service, the sandbox and PostgreSQL; the launcher tells where they are.
 */
export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  forbidOnly: Boolean(process.env['CI']),
  fullyParallel: true,
  workers: 2,
  reporter: process.env['CI'] ? 'line' : 'list',
  timeout: 30_000,
  use: {
    // Debian's browser: nothing is downloaded.
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
    trace: process.env['CI'] ? 'off' : 'retain-on-failure',
  },
  projects: [
    {
      name: 'states',
      testMatch: 'states/**/*.spec.ts',
      use: { baseURL: 'http://localhost:4173' },
    },
  ],
  webServer: {
    command: 'npm run preview -- --port 4173 --strictPort',
    url: 'http://localhost:4173',
    reuseExistingServer: !process.env['CI'],
  },
})
