import { expect, it } from 'vitest'

import { leavePageFor } from './leave-page'

it.each(['javascript:alert(1)', 'data:text/html,x', 'not an address'])('refuses %s', (address) => {
  expect(() => leavePageFor(address)).toThrow()
})
