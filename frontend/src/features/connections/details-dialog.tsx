import { useId, type ReactNode, type RefObject } from 'react'

import type { Binding } from '@/api/types'
import { CopyButton } from '@/components/copy-button'
import { Dialog } from '@/components/dialog'
import { useNow } from '@/lib/use-now'
import { useMessages } from '@/messages'

import { conditionLabel, conditionReason } from './condition'
import type { ConnectionActions } from './connection-row'
import { DetailsFacts } from './details-facts'
import { DetailsPermissions } from './details-permissions'
import { NextAction } from './next-action'

interface DetailsDialogProps {
  binding: Binding
  /** Null for members, who can only read. */
  actions: Pick<ConnectionActions, 'onReconnect' | 'reconnectingId'> | null
  /** What happened to the binding; null for members. */
  activity: ReactNode
  onClose: () => void
  fallbackFocus: RefObject<HTMLElement | null>
}

/** All about one connection, for those who run it and those who build on it. */
export default function DetailsDialog({
  binding,
  actions,
  activity,
  onClose,
  fallbackFocus,
}: DetailsDialogProps) {
  const now = useNow()
  const nameId = useId()
  const { connections, activity: activityMessages } = useMessages()
  const messages = connections.details
  const reason = conditionReason(connections, binding)
  return (
    <Dialog
      onClose={onClose}
      title={<span id={nameId}>{connections.row.detailsOf(binding.tenantName)}</span>}
      description={
        <>
          <p>{conditionLabel(connections.condition, binding, now)}</p>
          {reason && <p className="mt-1">{reason}</p>}
        </>
      }
      fallbackFocus={fallbackFocus}
    >
      {actions && <NextAction binding={binding} nameId={nameId} {...actions} />}
      <Section title={messages.facts}>
        <DetailsFacts binding={binding} now={now} />
      </Section>
      <Section title={messages.permissions}>
        <DetailsPermissions permissions={binding.permissions} />
      </Section>
      <Section title={messages.inYourService} action={<SnippetCopy bindingId={binding.id} />}>
        <p className="mb-2 text-sm text-muted-foreground">{messages.snippetHint}</p>
        <pre className="rounded-lg border border-border bg-muted p-3 text-xs whitespace-pre-wrap">
          <code className="font-mono break-all">{snippetFor(binding.id)}</code>
        </pre>
      </Section>
      {activity && <Section title={activityMessages.title}>{activity}</Section>}
    </Dialog>
  )
}

interface SectionProps {
  title: string
  action?: ReactNode
  children: ReactNode
}

function Section({ title, action, children }: SectionProps) {
  return (
    <section className="mt-6 first:mt-0">
      <div className="mb-2 flex min-h-7 items-center justify-between gap-3">
        <h3 className="text-sm font-medium">{title}</h3>
        {action}
      </div>
      {children}
    </section>
  )
}

function SnippetCopy({ bindingId }: { bindingId: string }) {
  const messages = useMessages().connections.details
  return <CopyButton what={messages.snippet} text={snippetFor(bindingId)} />
}

/** The first call of docs/from-your-service.md. */
export function snippetFor(bindingId: string): string {
  return String.raw`curl --fail --silent --show-error \
  --header "Authorization: Bearer $XERO_SERVICE_KEY" \
  --header "Accept: application/json" \
  "$XERO_SERVICE/api/integrations/xero/bindings/${bindingId}/api/api.xro/2.0/Organisation"`
}
