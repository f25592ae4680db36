import type { Page } from '@playwright/test'

/** What the browser complains about: errors in scripts, and what a security policy refuses. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    const text = message.text()
    // A refusal by the service is an answer, not a fault of the page.
    const isAnswer = text.startsWith('Failed to load resource')
    if (message.type() === 'error' && !isAnswer) complaints.push(text)
  })
  return complaints
}
