import { screen } from '@testing-library/react'
import { expect, it } from 'vitest'

import { renderWithApp } from '@/testing/render'

import { useReturnFromXero } from './return-from-xero'

function Page() {
  const { grantId, error, settle } = useReturnFromXero()
  return (
    <>
      <p>
        grant {grantId ?? 'none'}, error {error ?? 'none'}
      </p>
      <button onClick={settle}>Settle</button>
    </>
  )
}

const at = (search: string) => renderWithApp(<Page />, { at: `/settings/integrations${search}` })

it('keeps the choice in the address until it is settled', async () => {
  const { user, address } = at('?action=select_tenant&grantId=g1&tab=xero')

  expect(screen.getByText('grant g1, error none')).toBeVisible()
  expect(address()).toBe('/settings/integrations?action=select_tenant&grantId=g1&tab=xero')

  await user.click(screen.getByRole('button', { name: 'Settle' }))

  expect(screen.getByText('grant none, error none')).toBeVisible()
  expect(address()).toBe('/settings/integrations?tab=xero')
})

it('takes an error out of the address at once and keeps it until dismissed', async () => {
  const { user, address } = at('?error=access_denied')

  expect(screen.getByText('grant none, error access_denied')).toBeVisible()
  expect(address()).toBe('/settings/integrations')

  await user.click(screen.getByRole('button', { name: 'Settle' }))

  expect(screen.getByText('grant none, error none')).toBeVisible()
})

it.each(['?action=select_tenant', '?action=something', '?action=something&grantId=g1'])(
  'does nothing about %s but clean it away',
  (search) => {
    const { address } = at(search)

    expect(screen.getByText('grant none, error none')).toBeVisible()
    expect(address()).toBe('/settings/integrations')
  },
)

it('believes the error where an address has both', () => {
  const { address } = at('?error=flow_expired&action=select_tenant&grantId=g1')

  expect(screen.getByText('grant none, error flow_expired')).toBeVisible()
  expect(address()).toBe('/settings/integrations')
})
