import { run } from 'axe-core'
import { expect } from 'vitest'

/** No accessibility rule is broken. Colours need a real browser and are looked at there. */
export async function expectAccessible(): Promise<void> {
  const { violations } = await run(document.body, {
    rules: { 'color-contrast': { enabled: false }, region: { enabled: false } },
  })
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
}
