import { run } from 'axe-core'
import { expect } from 'vitest'

/** Expects no violation of axe's rules. The browser tests check colours. */
export async function expectAccessible(): Promise<void> {
  const { violations } = await run(document.body, {
    rules: { 'color-contrast': { enabled: false }, region: { enabled: false } },
  })
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
}
