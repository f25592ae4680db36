import type { Binding } from '@/api/types'
import { useXeroService } from '@/api/xero-service'
import { Notice } from '@/components/notice'
import { ConnectErrorNotice } from '@/features/connect/connect-error-notice'
import type { CallbackResult } from '@/features/connect/use-callback-result'
import type { ConnectFlow } from '@/features/connect/use-connect'
import { useMessages } from '@/messages'

import { AdminRequiredNotice } from './admin-required-notice'

interface CallbackNoticesProps {
  callback: CallbackResult
  connect: ConnectFlow
  /** Undefined while they load. */
  bindings: readonly Binding[] | undefined
  className: string
}

/** What the URL asks for and the page cannot do, with the next step. */
export function CallbackNotices({ callback, connect, bindings, className }: CallbackNoticesProps) {
  const { isAdmin, orgName } = useXeroService()
  const messages = useMessages().connect.unknownLink
  const { grantId, reconnectId, error, clear } = callback
  const isUnknown =
    isAdmin && reconnectId !== null && bindings?.every(({ id }) => id !== reconnectId) === true
  return (
    <>
      {error !== null && (
        <ConnectErrorNotice
          className={className}
          code={error}
          connect={isAdmin ? connect : null}
          onDismiss={clear}
        />
      )}
      {!isAdmin && (grantId ?? reconnectId) !== null && (
        <AdminRequiredNotice className={className} onDismiss={clear} />
      )}
      {isUnknown && (
        <Notice
          role="alert"
          variant="warning"
          className={className}
          title={messages.title}
          onDismiss={clear}
        >
          {messages.text(orgName)}
        </Notice>
      )}
    </>
  )
}
