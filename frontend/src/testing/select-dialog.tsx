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
}

/** Renders the dialog for selecting an organisation. */
export function renderSelectDialog({
  grantIds = ['g1'],
  afterConsent = true,
  replacing = null,
}: Options = {}) {
  const onClose = vi.fn()
  const onConnected = vi.fn()
  const onConsent = vi.fn()
  const Page = () => (
    <SelectOrganisationDialog
      grantIds={grantIds}
      orgName="Acme"
      afterConsent={afterConsent}
      replacing={replacing}
      onClose={onClose}
      onConnected={onConnected}
      onConsent={onConsent}
      consenting={false}
      fallbackFocus={useRef(null)}
    />
  )
  return { ...renderWithApp(<Page />), onClose, onConnected, onConsent }
}

export const dialog = () => screen.getByRole('dialog', { name: 'Select a Xero organisation' })
export const checkbox = (name: string) => screen.findByRole('checkbox', { name })
export const radio = (name: string) => screen.findByRole('radio', { name })
export const connect = (name = 'Connect organisation') =>
  within(dialog()).getByRole('button', { name })
export const names = () =>
  screen.getAllByRole('checkbox').map((each) => each.closest('label')?.textContent)
