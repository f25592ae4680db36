import { screen, within } from '@testing-library/react'
import { useRef, useState } from 'react'
import { expect, it } from 'vitest'

import { expectAccessible } from '@/testing/axe'
import { binding, services } from '@/testing/fixtures'
import { renderWithApp } from '@/testing/render'
import {
  givenBindings,
  givenBindingsAnswer,
  givenDisconnectAnswer,
  givenDisconnectSucceeds,
  problem,
  NEVER,
} from '@/testing/server'
import type { Binding } from '@/api/types'

import { ConnectionList } from './connection-list'
import { DisconnectDialog } from './disconnect-dialog'

function Page({ replacedBy }: { replacedBy: string | null }) {
  const heading = useRef<HTMLHeadingElement>(null)
  const [ending, setEnding] = useState<Binding | null>(null)
  return (
    <main>
      <h1>Integrations</h1>
      <h2 ref={heading} tabIndex={-1}>
        Xero
      </h2>
      <ConnectionList
        actions={{
          onReconnect: () => undefined,
          onSwitch: () => undefined,
          onDisconnect: setEnding,
          reconnectingId: null,
        }}
        onDetails={() => undefined}
        empty={<p>Nothing yet</p>}
      />
      {ending && (
        <DisconnectDialog
          binding={ending}
          replacedBy={replacedBy}
          onClose={() => setEnding(null)}
          fallbackFocus={heading}
        />
      )}
    </main>
  )
}

async function opened(replacedBy: string | null = null) {
  const app = renderWithApp(<Page replacedBy={replacedBy} />)
  const trigger = await screen.findByRole('button', { name: 'Disconnect Acme Trading Ltd' })
  await app.user.click(trigger)
  const dialog = await screen.findByRole('alertdialog', { name: 'Disconnect Acme Trading Ltd?' })
  const confirm = () => app.user.click(within(dialog).getByRole('button', { name: 'Disconnect' }))
  return { ...app, trigger, dialog, confirm }
}

it('says what will stop working, and focuses the safe button', async () => {
  givenBindings(binding())
  const { dialog } = await opened()

  expect(dialog).toHaveTextContent('can no longer read from Acme Trading Ltd')
  expect(dialog).toHaveTextContent('Scheduled jobs and syncs that need it fail')
  expect(within(dialog).getByRole('button', { name: 'Cancel' })).toHaveFocus()
  await expectAccessible()
})

it.each(['{Escape}', '{Enter}'])('changes nothing on %s and gives the focus back', async (key) => {
  givenBindings(binding())
  const { user, trigger, dialog } = await opened()

  await user.keyboard(key)

  expect(dialog).not.toBeInTheDocument()
  await expect.poll(() => document.activeElement).toBe(trigger)
})

it('removes the connection from the list and focuses the heading', async () => {
  givenDisconnectSucceeds(givenBindings(binding(), services))
  const { confirm, dialog } = await opened()
  givenBindingsAnswer(NEVER) // the row disappears before the list reloads

  await confirm()

  expect(await screen.findByText('Acme Trading Ltd disconnected')).toBeInTheDocument()
  expect(dialog).not.toBeInTheDocument()
  expect(screen.queryByRole('listitem', { name: 'Acme Trading Ltd' })).not.toBeInTheDocument()
  expect(screen.getByRole('listitem', { name: 'Acme Services Ltd' })).toBeVisible()
  await expect
    .poll(() => document.activeElement)
    .toBe(screen.getByRole('heading', { name: 'Xero' }))
})

it.each([
  ['pending', /Xero is not answering, so we will disconnect it there later/],
  ['impossible', /Access had already ended at Xero/],
] as const)('shows the result at Xero: %s', async (remoteCleanup, words) => {
  givenDisconnectSucceeds(givenBindings(binding()), remoteCleanup)
  const { confirm } = await opened()

  await confirm()

  expect(await screen.findByText(words)).toBeInTheDocument()
})

it('says why it failed, keeps the connection and the dialog', async () => {
  givenBindings(binding())
  givenDisconnectAnswer(problem(503, 'service_busy', 'The service is busy.'))
  const { confirm, dialog } = await opened()

  await confirm()

  const alert = await within(dialog).findByRole('alert')
  expect(alert).toHaveTextContent('Acme Trading Ltd is still connected')
  expect(alert).toHaveTextContent('The service is busy.')
  await expectAccessible()
})

it('sends one request, however often the button is pressed', async () => {
  givenBindings(binding())
  givenDisconnectAnswer(NEVER)
  const { confirm, dialog } = await opened()

  await confirm()
  await confirm()

  const button = within(dialog).getByRole('button', { name: 'Disconnect' })
  expect(button).toHaveAttribute('aria-busy', 'true')
  expect(button).toHaveFocus()
})

it('offers to keep both at the end of a switch', async () => {
  givenBindings(binding())
  const { dialog } = await opened('Demo Company (NZ)')

  expect(dialog).toHaveTextContent('Demo Company (NZ) is connected now.')
  expect(within(dialog).getByRole('button', { name: 'Keep both' })).toHaveFocus()
})
