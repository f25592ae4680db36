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
      unreached: Binding | null
      afterConsent: boolean
    }
  | { kind: 'disconnect'; binding: Binding; replacedBy: string | null }
  | { kind: 'reconnect'; binding: Binding }
  | { kind: 'details'; binding: Binding }

interface ActiveDialogOptions {
  callback: CallbackResult
  connect: ConnectFlow
  bindings: readonly Binding[]
  /** Members can open the details only. */
  isAdmin: boolean
}

/** Holds which dialog is open, and what opens after it. */
export function useActiveDialog({ callback, connect, bindings, isAdmin }: ActiveDialogOptions) {
  const [opened, setOpened] = useState<ActiveDialog | null>(null)
  const [switchingId, setSwitchingId] = useState(() => {
    if (callback.grantId !== null) return loadPendingSwitch()
    clearPendingSwitch() // the consent was cancelled at Xero, for example
    return null
  })
  const asked = isAdmin ? dialogOfUrl(callback, bindings, switchingId) : null
  const dialog = opened ?? asked

  const close = () => {
    clearPendingSwitch()
    setSwitchingId(null)
    setOpened(null)
    if (callback.grantId !== null || callback.reconnectId !== null) callback.clear()
  }

  const openSelection = (change: {
    grantIds: readonly string[]
    replacing?: Binding
    afterConsent: boolean
  }) => setOpened({ kind: 'select-organisation', replacing: null, unreached: null, ...change })

  return {
    dialog,
    close,
    /** Offers what existing consents reach. */
    openExisting: () => openSelection({ grantIds: liveGrantIds(bindings), afterConsent: false }),
    /** Resumes a consent from which nothing was chosen yet. */
    openPending: (grantId: string) => openSelection({ grantIds: [grantId], afterConsent: true }),
    openSwitch: (binding: Binding) => {
      const grantIds = liveGrantIds(bindings)
      if (grantIds.length > 0) {
        openSelection({ grantIds, replacing: binding, afterConsent: false })
      } else {
        savePendingSwitch(binding.id)
        connect.start(binding.id)
      }
    },
    /** Starts the consent that a link asks for. "Back" from Xero does not ask again. */
    confirmReconnect: (binding: Binding) => {
      setOpened({ kind: 'reconnect', binding })
      callback.clear()
      connect.reconnect(binding.id)
    },
    openDetails: (binding: Binding) => setOpened({ kind: 'details', binding }),
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

export type ActiveDialogs = ReturnType<typeof useActiveDialog>

function dialogOfUrl(
  { grantId, unreachedId, reconnectId }: CallbackResult,
  bindings: readonly Binding[],
  switchingId: string | null,
): ActiveDialog | null {
  const bindingOf = (id: string | null) => bindings.find((binding) => binding.id === id) ?? null
  if (grantId !== null) {
    return {
      kind: 'select-organisation',
      grantIds: [grantId],
      replacing: bindingOf(switchingId),
      unreached: bindingOf(unreachedId),
      afterConsent: true,
    }
  }
  const binding = bindingOf(reconnectId)
  return binding && { kind: 'reconnect', binding }
}

/** Returns the grants on which at least one working binding rests. */
export function liveGrantIds(bindings: readonly Binding[]): string[] {
  const working = bindings.filter(({ health }) => health.state !== 'needs_reauth')
  return [...new Set(working.map(({ grantId }) => grantId))]
}
