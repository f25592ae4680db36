import { useQuery } from '@tanstack/react-query'
import { useId, useRef } from 'react'

import { bindingsQuery } from '@/api/bindings'
import { useXeroService } from '@/api/xero-service'
import { Activity } from '@/features/activity/activity'
import { ConnectButton } from '@/features/connect/connect-button'
import { ConnectErrorNotice } from '@/features/connect/connect-error-notice'
import { useCallbackResult } from '@/features/connect/use-callback-result'
import { SelectOrganisationDialog } from '@/features/connect/select-organisation-dialog'
import { useConnect } from '@/features/connect/use-connect'
import { ConnectionList } from '@/features/connections/connection-list'
import { DisconnectDialog } from '@/features/connections/disconnect-dialog'
import { RefreshTokensButton } from '@/features/connections/refresh-tokens-button'
import { Message, useMessages } from '@/messages'

import { AddOrganisationButton } from './add-organisation-button'
import { AdminRequiredNotice } from './admin-required-notice'
import { NoConnections } from './no-connections'
import { useActiveDialog } from './use-active-dialog'

/**
 * An organisation's connections to Xero, with their dialogs, the result of a consent and, for
 * admins, the activity. It is shown anew for each organisation.
 */
export function XeroConnections() {
  const { orgId } = useXeroService()
  return orgId !== null && <OrgConnections key={orgId} />
}

function OrgConnections() {
  const { api, queryClient, isAdmin, orgName } = useXeroService()
  const { integrations } = useMessages()
  const headingId = useId()
  const heading = useRef<HTMLHeadingElement>(null)
  const { data } = useQuery(bindingsQuery(api), queryClient)
  const bindings = data ?? []
  const callback = useCallbackResult()
  const connect = useConnect()
  const dialogs = useActiveDialog({ callback, connect, bindings })
  const { dialog } = dialogs

  return (
    <>
      {callback.error !== null && (
        <ConnectErrorNotice
          className="mt-6"
          code={callback.error}
          connect={isAdmin ? connect : null}
          onDismiss={callback.clear}
        />
      )}
      {callback.grantId !== null && !isAdmin && (
        <AdminRequiredNotice className="mt-6" onDismiss={callback.clear} />
      )}

      <section aria-labelledby={headingId} className="mt-8">
        <div className="mb-4 flex min-h-11 flex-wrap items-end justify-between gap-x-6 gap-y-3">
          <div>
            <h2
              id={headingId}
              ref={heading}
              tabIndex={-1}
              className="text-base font-semibold tracking-tight outline-none"
            >
              {integrations.xero}
            </h2>
            <p className="mt-0.5 text-sm text-pretty text-muted-foreground">
              <Message
                text={isAdmin ? integrations.xeroForAdmins : integrations.xeroForMembers}
                values={{ org: <bdi>{orgName}</bdi> }}
              />
            </p>
          </div>
          {bindings.length > 0 && (
            <div className="flex flex-wrap gap-2">
              <RefreshTokensButton />
              {isAdmin && <ConnectButton connect={connect} />}
            </div>
          )}
        </div>

        <ConnectionList
          actions={
            isAdmin
              ? {
                  onReconnect: ({ id }) => connect.start(id),
                  onSwitch: dialogs.openSwitch,
                  onDisconnect: dialogs.openDisconnect,
                  reconnectingId: connect.pendingTrigger,
                }
              : null
          }
          empty={<NoConnections action={isAdmin ? <ConnectButton connect={connect} /> : null} />}
        />
        {isAdmin && dialogs.openAddOrganisation && (
          <AddOrganisationButton onAdd={dialogs.openAddOrganisation} />
        )}
      </section>

      {/* Rendered after the list has loaded, to avoid a layout shift. */}
      {isAdmin && data && <Activity orgName={orgName} />}

      {isAdmin && dialog?.kind === 'select-organisation' && (
        <SelectOrganisationDialog
          grantIds={dialog.grantIds}
          orgName={orgName}
          afterConsent={dialog.afterConsent}
          replacing={dialog.replacing}
          onClose={dialogs.close}
          onConnected={dialogs.onConnected}
          onConsent={dialogs.startNewConsent}
          consenting={connect.pendingTrigger === 'again'}
          fallbackFocus={heading}
        />
      )}
      {isAdmin && dialog?.kind === 'disconnect' && (
        <DisconnectDialog
          binding={dialog.binding}
          replacedBy={dialog.replacedBy}
          onClose={dialogs.close}
          fallbackFocus={heading}
        />
      )}
    </>
  )
}
