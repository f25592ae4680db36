import { useState } from 'react'

import type { Binding } from '@/api/types'
import { forgetSwitch, recallSwitch, rememberSwitch } from '@/features/connect/pending-switch'
import type { ReturnFromXero } from '@/features/connect/return-from-xero'
import type { Connect } from '@/features/connect/use-connect'

type Opened =
  | { kind: 'choose'; grantIds: readonly string[]; replacing: Binding | null; returned: boolean }
  | { kind: 'disconnect'; binding: Binding; replacedBy: string | null }

interface Situation {
  returned: ReturnFromXero
  connect: Connect
  bindings: readonly Binding[]
}

/** Which dialog is open, over what, and what follows when it closes. */
export function useDialogs({ returned, connect, bindings }: Situation) {
  const [opened, setOpened] = useState<Opened | null>(null)
  const [switching, setSwitching] = useState(() => {
    if (returned.grantId !== null) return recallSwitch()
    forgetSwitch() // it came to nothing: cancelled at Xero, say
    return null
  })
  const liveGrants = grantsOf(bindings)

  const dialog: Opened | null =
    opened ??
    (returned.grantId === null
      ? null
      : {
          kind: 'choose',
          grantIds: [returned.grantId],
          replacing: bindings.find(({ id }) => id === switching) ?? null,
          returned: true,
        })

  const close = () => {
    forgetSwitch()
    setSwitching(null)
    setOpened(null)
    if (returned.grantId !== null) returned.settle()
  }

  return {
    dialog,
    close,
    /** Null while no grant is alive: then only a new consent can reach anything. */
    addAnother:
      liveGrants.length > 0
        ? () =>
            setOpened({ kind: 'choose', grantIds: liveGrants, replacing: null, returned: false })
        : null,
    switchFrom: (binding: Binding) => {
      if (liveGrants.length > 0) {
        setOpened({
          kind: 'choose',
          grantIds: liveGrants,
          replacing: binding,
          returned: false,
        })
      } else {
        rememberSwitch(binding.id)
        connect.start(binding.id)
      }
    },
    disconnect: (binding: Binding) => setOpened({ kind: 'disconnect', binding, replacedBy: null }),
    /** An organisation was chosen: a switch goes on to offer the end of the old one. */
    connected: (chosen: Binding) => {
      const replaced = dialog?.kind === 'choose' ? dialog.replacing : null
      close()
      if (replaced && replaced.id !== chosen.id) {
        setOpened({ kind: 'disconnect', binding: replaced, replacedBy: chosen.tenantName })
      }
    },
    /** None of those offered will do: off to Xero, a switch remembered until it comes back. */
    consentAgain: () => {
      if (dialog?.kind === 'choose' && dialog.replacing) rememberSwitch(dialog.replacing.id)
      connect.start('again')
    },
  }
}

/** The grants that are alive, as far as the page knows: some binding works through them. */
function grantsOf(bindings: readonly Binding[]): string[] {
  const working = bindings.filter(({ health }) => health.state !== 'needs_reauth')
  return [...new Set(working.map(({ grantId }) => grantId))]
}
