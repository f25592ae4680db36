import { screen } from '@testing-library/react'
import { expect, it } from 'vitest'

import { renderWithApp } from '@/testing/render'

import { useCallbackResult } from './use-callback-result'

function Page() {
  const { grantId, unreachedId, reconnectedId, reconnectId, error, clear } = useCallbackResult()
  return (
    <>
      <p>
        grant {grantId ?? 'none'}, error {error ?? 'none'}
      </p>
      <p>
        unreached {unreachedId ?? 'none'}, reconnected {reconnectedId ?? 'none'}, reconnect{' '}
        {reconnectId ?? 'none'}
      </p>
      <button onClick={clear}>Settle</button>
    </>
  )
}

const at = (search: string) => renderWithApp(<Page />, { at: `/settings/integrations${search}` })

it('keeps the grant in the URL until it is cleared', async () => {
  const { user, address } = at('?action=select_tenant&grantId=g1&tab=xero')

  expect(screen.getByText('grant g1, error none')).toBeVisible()
  expect(address()).toBe('/settings/integrations?action=select_tenant&grantId=g1&tab=xero')

  await user.click(screen.getByRole('button', { name: 'Settle' }))

  expect(screen.getByText('grant none, error none')).toBeVisible()
  expect(address()).toBe('/settings/integrations?tab=xero')
})

it.each([
  [
    '?action=select_tenant&grantId=g1&unreached=b1',
    'unreached b1, reconnected none, reconnect none',
  ],
  ['?action=reconnected&bindingId=b1', 'unreached none, reconnected b1, reconnect none'],
  ['?reconnect=b1', 'unreached none, reconnected none, reconnect b1'],
])('keeps %s in the URL until it is cleared', async (search, words) => {
  const { user, address } = at(search)

  expect(screen.getByText(words)).toBeVisible()
  expect(address()).toBe(`/settings/integrations${search}`)

  await user.click(screen.getByRole('button', { name: 'Settle' }))

  expect(address()).toBe('/settings/integrations')
})

it('removes an error from the URL at once and keeps it in state until cleared', async () => {
  const { user, address } = at('?error=access_denied')

  expect(screen.getByText('grant none, error access_denied')).toBeVisible()
  expect(address()).toBe('/settings/integrations')

  await user.click(screen.getByRole('button', { name: 'Settle' }))

  expect(screen.getByText('grant none, error none')).toBeVisible()
})

it.each([
  '?action=select_tenant',
  '?action=reconnected',
  '?action=something',
  '?action=something&grantId=g1',
])('only removes %s from the URL', (search) => {
  const { address } = at(search)

  expect(screen.getByText('grant none, error none')).toBeVisible()
  expect(address()).toBe('/settings/integrations')
})

it('prefers the error if the URL has both', () => {
  const { address } = at('?error=flow_expired&action=select_tenant&grantId=g1')

  expect(screen.getByText('grant none, error flow_expired')).toBeVisible()
  expect(address()).toBe('/settings/integrations')
})
