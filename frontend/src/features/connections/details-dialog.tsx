import { useId, type ReactNode } from 'react'

import type { Binding } from '@/api/types'
import { CopyButton } from '@/components/copy-button'
import type { DialogProps } from '@/components/lazy-dialog'
import {
  Dialog,
  DialogBody,
  DialogContent,
  DialogDescription,
  DialogHeader,
  DialogTitle,
} from '@/components/ui/dialog'
import { Tabs, TabsContent, TabsList, TabsTrigger } from '@/components/ui/tabs'
import { useDialogFocus } from '@/components/use-dialog-focus'
import { useNow } from '@/lib/use-now'
import { useMessages } from '@/messages'

import { conditionLabel, conditionReason } from './condition'
import type { ConnectionActions } from './connection-row'
import { DetailsFacts } from './details-facts'
import { DetailsPermissions } from './details-permissions'
import { NextAction } from './next-action'

interface DetailsDialogProps extends DialogProps {
  binding: Binding
  /** Null for members, who can only read. */
  actions: Pick<ConnectionActions, 'onReconnect' | 'reconnectingId'> | null
  /** What happened to the binding; null for members. */
  activity: ReactNode
}

/** All about one connection, for those who run it and those who build on it. */
export function DetailsDialog({
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
    <Dialog open onOpenChange={onClose}>
      {/* As high on each tab, so that the tabs stay where they are. */}
      <DialogContent
        className="tall:h-[min(38rem,calc(100dvh-2rem))]"
        {...useDialogFocus({ fallbackFocus })}
      >
        <DialogHeader>
          <DialogTitle>
            <span id={nameId}>{connections.row.detailsOf(binding.tenantName)}</span>
          </DialogTitle>
          <DialogDescription asChild>
            <div>
              <p>{conditionLabel(connections.condition, binding, now)}</p>
              {reason && <p className="mt-1">{reason}</p>}
            </div>
          </DialogDescription>
        </DialogHeader>
        <DialogBody>
          {actions && <NextAction binding={binding} nameId={nameId} {...actions} />}
          <Tabs defaultValue="connection" className="mt-4 first:mt-0">
            <TabsList>
              <TabsTrigger value="connection">{messages.facts}</TabsTrigger>
              <TabsTrigger value="service">{messages.inYourService}</TabsTrigger>
              {activity && <TabsTrigger value="activity">{activityMessages.title}</TabsTrigger>}
            </TabsList>
            <TabsContent value="connection">
              <DetailsFacts binding={binding} now={now} />
              <h3 className="mt-6 mb-2 text-sm font-medium">{messages.permissions}</h3>
              <DetailsPermissions permissions={binding.permissions} />
            </TabsContent>
            <TabsContent value="service">
              <Snippet text={snippetFor(binding.id)} />
            </TabsContent>
            {activity && <TabsContent value="activity">{activity}</TabsContent>}
          </Tabs>
        </DialogBody>
      </DialogContent>
    </Dialog>
  )
}

function Snippet({ text }: { text: string }) {
  const messages = useMessages().connections.details
  return (
    <>
      <div className="mb-2 flex min-h-7 flex-wrap items-center gap-x-3">
        <p className="min-w-0 flex-1 text-sm text-muted-foreground">{messages.snippetHint}</p>
        <CopyButton what={messages.snippet} text={text} />
      </div>
      <pre className="rounded-lg border border-border bg-muted p-3 text-xs whitespace-pre-wrap">
        <code className="font-mono break-all">{text}</code>
      </pre>
    </>
  )
}

/** The first call of docs/from-your-service.md. */
export function snippetFor(bindingId: string): string {
  return String.raw`curl --fail --silent --show-error \
  --header "Authorization: Bearer $XERO_SERVICE_KEY" \
  --header "Accept: application/json" \
  "$XERO_SERVICE/api/integrations/xero/bindings/${bindingId}/api/api.xro/2.0/Organisation"`
}
