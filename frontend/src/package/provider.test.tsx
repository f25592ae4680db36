import { render, screen } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { expect, it, vi } from 'vitest'

import { binding } from '@/testing/fixtures'
import { getToken } from '@/testing/render'
import { sentence } from '@/testing/sentence'
import {
  givenActivity,
  givenBindings,
  givenBindingsAnswer,
  givenRefresh,
  problem,
} from '@/testing/server'

import { XeroConnections, XeroServiceProvider, type XeroServiceProviderProps } from '.'

/** A German host that translated a few texts, and whose organisation has no name. */
function renderInHost(props: Partial<XeroServiceProviderProps> = {}) {
  givenActivity()
  const messages = {
    parts: { yourOrganisation: 'Ihrer Organisation' },
    connections: { refresh: { button: 'Tokens erneuern' } },
    problems: { service_busy: 'Der Dienst ist überlastet.', unexpected_answer: 'Fehler {status}' },
  }
  render(
    <XeroServiceProvider
      apiUrl=""
      orgId="org_acme"
      isAdmin
      getToken={getToken}
      locale="de-DE"
      timeZone="Europe/Berlin"
      messages={messages}
      {...props}
    >
      <XeroConnections />
    </XeroServiceProvider>,
  )
  return userEvent.setup()
}

it("shows dates and moments in the host's locale and time zone, and the host's texts", async () => {
  givenBindings(binding({ createdAt: '2026-01-31T23:30:00Z' }))
  renderInHost()

  const row = await screen.findByRole('listitem', { name: 'Acme Trading Ltd' })
  expect(row).toHaveTextContent('Connected by Acme bookkeeper on 01.02.2026')
  expect(row).toHaveTextContent('Last used vor 3 Minuten')
  expect(screen.getByRole('button', { name: 'Tokens erneuern' })).toBeVisible()
  expect(screen.getByRole('button', { name: 'Connect Xero' })).toBeVisible()
})

it("stands a text of the catalogue in for the organisation's name", async () => {
  givenBindings()
  renderInHost()

  expect(await screen.findByText(sentence('organisations to Ihrer Organisation as'))).toBeVisible()
})

it("hands the host's toasts the host's text for a failure", async () => {
  givenBindings(binding())
  givenRefresh(problem(503, 'service_busy', 'The service is busy.'))
  const onToast = vi.fn()
  const user = renderInHost({ onToast })

  await user.click(await screen.findByRole('button', { name: 'Tokens erneuern' }))

  await expect
    .poll(() => onToast.mock.calls)
    .toEqual([
      [
        {
          kind: 'error',
          title: 'Tokens could not be refreshed',
          description: 'Der Dienst ist überlastet.',
        },
      ],
    ])
})

it('shows the status in the text for an answer that is no problem document', async () => {
  givenBindingsAnswer(new Response('<html>', { status: 404 }))
  renderInHost()

  expect(await screen.findByRole('alert')).toHaveTextContent('Fehler 404')
})
