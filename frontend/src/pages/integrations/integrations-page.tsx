import { useQuery } from '@tanstack/react-query'
import { useRef } from 'react'

import { useApi } from '@/api/api-context'
import { bindingsQuery } from '@/api/bindings'
import { Activity } from '@/features/activity/activity'
import { ConnectButton } from '@/features/connect/connect-button'
import { ConnectErrorNotice } from '@/features/connect/connect-error-notice'
import { useCallbackResult } from '@/features/connect/use-callback-result'
import { SelectOrganisationDialog } from '@/features/connect/select-organisation-dialog'
import { useConnect } from '@/features/connect/use-connect'
import { ConnectionList } from '@/features/connections/connection-list'
import { DisconnectDialog } from '@/features/connections/disconnect-dialog'
import { RefreshTokensButton } from '@/features/connections/refresh-tokens-button'
import type { Org } from '@/lib/auth'

import { AddOrganisationButton } from './add-organisation-button'
import { AdminRequiredNotice } from './admin-required-notice'
import { NoConnections } from './no-connections'
import { useActiveDialog } from './use-active-dialog'

/** The settings page of an organisation's connections to Xero. */
export function IntegrationsPage({ org }: { org: Org }) {
  const isAdmin = org.role === 'admin'
  const heading = useRef<HTMLHeadingElement>(null)
  const { data } = useQuery(bindingsQuery(useApi()))
  const bindings = data ?? []
  const callback = useCallbackResult()
  const connect = useConnect()
  const dialogs = useActiveDialog({ callback, connect, bindings })
  const { dialog } = dialogs

  return (
    <main className="mx-auto w-full max-w-4xl px-4 pt-10 pb-20 sm:px-6">
      <h1 className="text-2xl font-semibold tracking-tight">Integrations</h1>
      <p className="mt-1.5 text-sm text-pretty text-muted-foreground">
        What {org.name} is connected to, and how those connections are doing.
      </p>

      {callback.error !== null && (
        <ConnectErrorNotice
          className="mt-6"
          code={callback.error}
          connect={isAdmin ? connect : null}
          onDismiss={callback.clear}
        />
      )}
      {callback.grantId !== null && !isAdmin && (
        <AdminRequiredNotice className="mt-6" org={org} onDismiss={callback.clear} />
      )}

      <section aria-labelledby="xero" className="mt-8">
        <div className="mb-4 flex min-h-11 flex-wrap items-end justify-between gap-x-6 gap-y-3">
          <div>
            <h2
              id="xero"
              ref={heading}
              tabIndex={-1}
              className="text-base font-semibold tracking-tight outline-none"
            >
              Xero
            </h2>
            <p className="mt-0.5 text-sm text-pretty text-muted-foreground">
              {isAdmin
                ? 'The Xero organisations that your services can use.'
                : `You can see everything and refresh tokens. Only admins of ${org.name} can connect, switch or disconnect.`}
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
          empty={
            <NoConnections
              org={org}
              action={isAdmin ? <ConnectButton connect={connect} /> : null}
            />
          }
        />
        {isAdmin && dialogs.openAddOrganisation && (
          <AddOrganisationButton onAdd={dialogs.openAddOrganisation} />
        )}
      </section>

      {/* Rendered after the list has loaded, to avoid a layout shift. */}
      {isAdmin && data && <Activity orgName={org.name} />}

      {isAdmin && dialog?.kind === 'select-organisation' && (
        <SelectOrganisationDialog
          grantIds={dialog.grantIds}
          orgName={org.name}
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
    </main>
  )
}
