import { useState } from 'react'

import type { Binding } from '@/api/types'
import {
  clearPendingSwitch,
  loadPendingSwitch,
  savePendingSwitch,
} from '@/features/connect/pending-switch'
import type { CallbackResult } from '@/features/connect/use-callback-result'
import type { ConnectFlow } from '@/features/connect/use-connect'

type ActiveDialog =
  | {
      kind: 'select-organisation'
      grantIds: readonly string[]
      replacing: Binding | null
      afterConsent: boolean
    }
  | { kind: 'disconnect'; binding: Binding; replacedBy: string | null }

interface ActiveDialogOptions {
  callback: CallbackResult
  connect: ConnectFlow
  bindings: readonly Binding[]
}

/** Holds which dialog is open, and what opens after it. */
export function useActiveDialog({ callback, connect, bindings }: ActiveDialogOptions) {
  const [opened, setOpened] = useState<ActiveDialog | null>(null)
  const [switchingId, setSwitchingId] = useState(() => {
    if (callback.grantId !== null) return loadPendingSwitch()
    clearPendingSwitch() // the consent was cancelled at Xero, for example
    return null
  })
  const grantIds = liveGrantIds(bindings)

  const dialog: ActiveDialog | null =
    opened ??
    (callback.grantId === null
      ? null
      : {
          kind: 'select-organisation',
          grantIds: [callback.grantId],
          replacing: bindings.find(({ id }) => id === switchingId) ?? null,
          afterConsent: true,
        })

  const close = () => {
    clearPendingSwitch()
    setSwitchingId(null)
    setOpened(null)
    if (callback.grantId !== null) callback.clear()
  }

  return {
    dialog,
    close,
    /** Null if no grant is live: then only a new consent reaches an organisation. */
    openAddOrganisation:
      grantIds.length > 0
        ? () =>
            setOpened({
              kind: 'select-organisation',
              grantIds,
              replacing: null,
              afterConsent: false,
            })
        : null,
    openSwitch: (binding: Binding) => {
      if (grantIds.length > 0) {
        setOpened({
          kind: 'select-organisation',
          grantIds,
          replacing: binding,
          afterConsent: false,
        })
      } else {
        savePendingSwitch(binding.id)
        connect.start(binding.id)
      }
    },
    openDisconnect: (binding: Binding) =>
      setOpened({ kind: 'disconnect', binding, replacedBy: null }),
    /** After a switch, offers to disconnect the replaced organisation. */
    onConnected: ([chosen]: Binding[]) => {
      const replaced = dialog?.kind === 'select-organisation' ? dialog.replacing : null
      close()
      if (replaced && chosen) {
        setOpened({ kind: 'disconnect', binding: replaced, replacedBy: chosen.tenantName })
      }
    },
    /** Starts a new consent; a switch in progress is stored until the callback. */
    startNewConsent: () => {
      if (dialog?.kind === 'select-organisation' && dialog.replacing)
        savePendingSwitch(dialog.replacing.id)
      connect.start('again')
    },
  }
}

/** Returns the grants on which at least one working binding rests. */
function liveGrantIds(bindings: readonly Binding[]): string[] {
  const working = bindings.filter(({ health }) => health.state !== 'needs_reauth')
  return [...new Set(working.map(({ grantId }) => grantId))]
}
