import { screen, within } from '@testing-library/react'
import { useRef } from 'react'
import { vi } from 'vitest'

import type { Binding } from '@/api/types'
import { SelectOrganisationDialog } from '@/features/connect/select-organisation-dialog'

import { renderWithApp } from './render'

interface Options {
  grantIds?: string[]
  afterConsent?: boolean
  replacing?: Binding | null
  unreached?: Binding | null
}

/** Renders the dialog for selecting an organisation. */
export function renderSelectDialog({
  grantIds = ['g1'],
  afterConsent = true,
  replacing = null,
  unreached = null,
}: Options = {}) {
  const onClose = vi.fn()
  const onConnected = vi.fn()
  const onConsent = vi.fn()
  const connectFlow = { start: vi.fn(), reconnect: vi.fn(), pendingTrigger: null }
  const Page = () => (
    <SelectOrganisationDialog
      grantIds={grantIds}
      orgName="Acme"
      afterConsent={afterConsent}
      replacing={replacing}
      unreached={unreached}
      onClose={onClose}
      onConnected={onConnected}
      onConsent={onConsent}
      connect={connectFlow}
      fallbackFocus={useRef(null)}
    />
  )
  return { ...renderWithApp(<Page />), onClose, onConnected, onConsent, connectFlow }
}

export const dialog = () => screen.getByRole('dialog', { name: 'Select a Xero organisation' })
export const checkbox = (name: string) => screen.findByRole('checkbox', { name })
export const radio = (name: string) => screen.findByRole('radio', { name })
export const connect = (name = 'Connect organisation') =>
  within(dialog()).getByRole('button', { name })
export const names = () =>
  screen.getAllByRole('checkbox').map((each) => each.closest('label')?.textContent)
