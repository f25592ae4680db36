import type { Page } from '@playwright/test'

/** Collects script errors and violations of the Content-Security-Policy. */
export function collectConsoleErrors(page: Page): string[] {
  const consoleErrors: string[] = []
  page.on('pageerror', (error) => consoleErrors.push(error.message))
  page.on('console', (message) => {
    const text = message.text()
    // The browser also logs error responses of the service; those are no fault of the page.
    const isAnswer = text.startsWith('Failed to load resource')
    if (message.type() === 'error' && !isAnswer) consoleErrors.push(text)
  })
  return consoleErrors
}
