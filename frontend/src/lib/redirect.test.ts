import { expect, it } from 'vitest'

import { redirectTo } from './redirect'

it.each(['javascript:alert(1)', 'data:text/html,x', 'not an address'])('refuses %s', (address) => {
  expect(() => redirectTo(address)).toThrow()
})
