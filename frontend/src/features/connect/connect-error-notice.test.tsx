import { screen } from '@testing-library/react'
import { expect, it, vi } from 'vitest'

import { expectAccessible } from '@/testing/axe'
import { renderWithApp } from '@/testing/render'

import { ConnectErrorNotice } from './connect-error-notice'

const show = (code: string, forAdmin = true) => {
  const connect = { start: vi.fn(), reconnect: vi.fn(), pendingTrigger: null }
  const onDismiss = vi.fn()
  const app = renderWithApp(
    <main>
      <h1>Integrations</h1>
      <ConnectErrorNotice code={code} connect={forAdmin ? connect : null} onDismiss={onDismiss} />
    </main>,
  )
  return { ...app, connect, onDismiss }
}

it.each([
  ['access_denied', 'You cancelled at Xero', 'Connect again when you are ready'],
  ['flow_expired', 'took longer than ten minutes', 'Start again'],
  ['flow_mismatch', 'This browser did not start that attempt', 'finish in the same browser'],
  ['session_mismatch', 'Somebody else, or another organisation', 'the right organisation'],
  ['exchange_failed', 'Xero did not complete the connection', 'Try again in a minute'],
  ['no_tenants', 'chose no organisation there', 'pick an organisation'],
  ['insufficient_scope', 'fewer permissions than this app needs', 'allow all of them'],
  ['something_new', 'Connecting to Xero did not work', 'Try again'],
])('says what %s means and what to do next', async (code, sentence, next) => {
  show(code)

  const alert = screen.getByRole('alert')
  expect(alert).toHaveTextContent(sentence)
  expect(alert).toHaveTextContent(next)
  expect(alert).not.toHaveTextContent(code)
  await expectAccessible()
})

it.each(['<img src=x onerror=alert(1)>', 'constructor', '__proto__'])(
  'never shows what came in the address: %s',
  (code) => {
    show(code)

    expect(screen.getByRole('alert')).toHaveTextContent('Connecting to Xero did not work.')
    expect(document.body.innerHTML).not.toContain(code)
  },
)

it('starts another attempt, or can be dismissed', async () => {
  const { user, connect, onDismiss } = show('access_denied')

  await user.click(screen.getByRole('button', { name: 'Try again' }))
  expect(connect.start).toHaveBeenCalledOnce()

  await user.click(screen.getByRole('button', { name: 'Dismiss' }))
  expect(onDismiss).toHaveBeenCalledOnce()
})

it('offers a member no retry', () => {
  show('access_denied', false)

  expect(screen.queryByRole('button', { name: 'Try again' })).not.toBeInTheDocument()
})
