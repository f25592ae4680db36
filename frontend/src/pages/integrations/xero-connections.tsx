import { useQuery } from '@tanstack/react-query'
import { useId, useRef } from 'react'

import { bindingsQuery, pendingConsentQuery } from '@/api/bindings'
import { useXeroService } from '@/api/xero-service'
import { Activity } from '@/features/activity/activity'
import { ConnectButton } from '@/features/connect/connect-button'
import { PendingConsentNotice } from '@/features/connect/pending-consent-notice'
import { useCallbackResult } from '@/features/connect/use-callback-result'
import { useConnect } from '@/features/connect/use-connect'
import { useReconnectedToast } from '@/features/connect/use-reconnected-toast'
import { ConnectionList } from '@/features/connections/connection-list'
import { RefreshTokensButton } from '@/features/connections/refresh-tokens-button'
import { Message, useMessages } from '@/messages'
import { styleScope } from '@/lib/style-scope'
import { useIsHydrated } from '@/lib/use-is-hydrated'

import { CallbackNotices } from './callback-notices'
import { ConnectionDialogs } from './connection-dialogs'
import { NoConnections } from './no-connections'
import { useActiveDialog } from './use-active-dialog'
import { useConnectAction } from './use-connect-action'

/**
 * An organisation's connections to Xero, with their dialogs, the result of a consent and, for
 * admins, the activity. It is shown anew for each organisation.
 */
export function XeroConnections() {
  const { orgId } = useXeroService()
  // Times, the URL and what the tab stores are known only in the browser.
  const isHydrated = useIsHydrated()
  return <div {...styleScope}>{isHydrated && orgId !== null && <OrgConnections key={orgId} />}</div>
}

function OrgConnections() {
  const { api, queryClient, isAdmin, orgName } = useXeroService()
  const messages = useMessages().integrations
  const headingId = useId()
  const heading = useRef<HTMLHeadingElement>(null)
  const { data } = useQuery(bindingsQuery(api), queryClient)
  const pending = useQuery(pendingConsentQuery(api), queryClient).data ?? null
  const bindings = data ?? []
  const callback = useCallbackResult()
  const connect = useConnect()
  const dialogs = useActiveDialog({ callback, connect, bindings, isAdmin })
  const { openExisting, openPending } = dialogs
  const connectAction = useConnectAction({ bindings, connect, openExisting })
  useReconnectedToast(callback, data)
  const connectButton = isAdmin && <ConnectButton {...connectAction} />

  return (
    <>
      <CallbackNotices className="mt-6" callback={callback} connect={connect} bindings={data} />

      <section aria-labelledby={headingId} className="mt-8">
        <div className="mb-4 flex min-h-11 flex-wrap items-end justify-between gap-x-6 gap-y-3">
          <div className="min-w-0 grow basis-64">
            <h2
              id={headingId}
              ref={heading}
              tabIndex={-1}
              className="text-base font-semibold tracking-tight outline-none"
            >
              {messages.xero}
            </h2>
            <p className="mt-0.5 text-sm text-pretty text-muted-foreground">
              <Message
                text={isAdmin ? messages.xeroForAdmins : messages.xeroForMembers}
                values={{ org: <bdi>{orgName}</bdi> }}
              />
            </p>
          </div>
          {bindings.length > 0 && (
            <div className="flex flex-wrap gap-2">
              <RefreshTokensButton />
              {connectButton}
            </div>
          )}
        </div>

        {isAdmin && pending && callback.grantId === null && (
          <PendingConsentNotice pending={pending} onFinish={() => openPending(pending.grantId)} />
        )}
        <ConnectionList
          actions={
            isAdmin
              ? {
                  onReconnect: ({ id }) => connect.reconnect(id),
                  onSwitch: dialogs.openSwitch,
                  onDisconnect: dialogs.openDisconnect,
                  reconnectingId: connect.pendingTrigger,
                }
              : null
          }
          onDetails={dialogs.openDetails}
          empty={<NoConnections action={connectButton} />}
        />
      </section>

      {/* Rendered after the list has loaded, to avoid a layout shift. */}
      {isAdmin && data && <Activity orgName={orgName} />}
      <ConnectionDialogs dialogs={dialogs} connect={connect} fallbackFocus={heading} />
    </>
  )
}
