import type { RefObject } from 'react'

import { useXeroService } from '@/api/xero-service'
import { lazyDialog } from '@/components/lazy-dialog'
import { ActivityList } from '@/features/activity/activity'
import type { ConnectFlow } from '@/features/connect/use-connect'

import type { ActiveDialogs } from './use-active-dialog'

const SelectOrganisationDialog = lazyDialog(
  async () =>
    (await import('@/features/connect/select-organisation-dialog')).SelectOrganisationDialog,
)
const DisconnectDialog = lazyDialog(
  async () => (await import('@/features/connections/disconnect-dialog')).DisconnectDialog,
)
const ReconnectDialog = lazyDialog(
  async () => (await import('@/features/connect/reconnect-dialog')).ReconnectDialog,
)
const DetailsDialog = lazyDialog(
  async () => (await import('@/features/connections/details-dialog')).DetailsDialog,
)

interface ConnectionDialogsProps {
  dialogs: ActiveDialogs
  connect: ConnectFlow
  fallbackFocus: RefObject<HTMLElement | null>
}

/** The open dialog, if any. */
export function ConnectionDialogs({ dialogs, connect, fallbackFocus }: ConnectionDialogsProps) {
  const { orgName, isAdmin } = useXeroService()
  const { dialog, close } = dialogs
  switch (dialog?.kind) {
    case 'select-organisation':
      return (
        <SelectOrganisationDialog
          grantIds={dialog.grantIds}
          orgName={orgName}
          afterConsent={dialog.afterConsent}
          unreached={dialog.unreached}
          replacing={dialog.replacing}
          onClose={close}
          onConnected={dialogs.onConnected}
          onConsent={dialogs.startNewConsent}
          connect={connect}
          fallbackFocus={fallbackFocus}
        />
      )
    case 'disconnect':
      return (
        <DisconnectDialog
          binding={dialog.binding}
          replacedBy={dialog.replacedBy}
          onClose={close}
          fallbackFocus={fallbackFocus}
        />
      )
    case 'reconnect':
      return (
        <ReconnectDialog
          binding={dialog.binding}
          pending={connect.pendingTrigger === dialog.binding.id}
          onConfirm={() => dialogs.confirmReconnect(dialog.binding)}
          onClose={close}
          fallbackFocus={fallbackFocus}
        />
      )
    case 'details':
      return (
        <DetailsDialog
          binding={dialog.binding}
          actions={
            isAdmin
              ? {
                  onReconnect: ({ id }) => connect.reconnect(id),
                  reconnectingId: connect.pendingTrigger,
                }
              : null
          }
          activity={isAdmin && <ActivityList binding={dialog.binding} />}
          onClose={close}
          fallbackFocus={fallbackFocus}
        />
      )
    case undefined:
      return null
  }
}
