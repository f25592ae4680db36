import type { Binding } from '@/api/types'
import type { DialogProps } from '@/components/lazy-dialog'
import { Notice } from '@/components/notice'
import { ProblemNotice } from '@/components/problem-notice'
import { Button } from '@/components/ui/button'
import {
  Dialog,
  DialogBody,
  DialogContent,
  DialogDescription,
  DialogFooter,
  DialogHeader,
  DialogTitle,
} from '@/components/ui/dialog'
import { useDialogFocus } from '@/components/use-dialog-focus'
import { useMessages } from '@/messages'

import type { ConnectFlow } from './use-connect'
import { TenantList } from './tenant-list'
import { TenantListError, TenantListSkeleton } from './tenant-list-states'
import { UnreachedNotice } from './unreached-notice'
import { useSelectTenants, type SelectResult } from './use-select-tenants'
import { useSelection } from './use-selection'
import { useTenantOptions, type TenantOption } from './use-tenant-options'

interface SelectOrganisationDialogProps extends DialogProps {
  /** The grants to list tenants of: that of the new consent, or all live ones. */
  grantIds: readonly string[]
  orgName: string
  /** True directly after a consent. */
  afterConsent: boolean
  /** The binding that the consent was meant for and does not reach. */
  unreached?: Binding | null
  /** In a switch, the binding that the selected organisation is to replace. */
  replacing: Binding | null
  /** Called when every selected organisation is connected. */
  onConnected: (connected: Binding[]) => void
  /** Starts another consent at Xero, which may reach more organisations. */
  onConsent: () => void
  connect: ConnectFlow
}

/** Lets an admin choose which of the organisations that a consent reached to connect. */
export function SelectOrganisationDialog({
  grantIds,
  orgName,
  afterConsent,
  replacing,
  unreached = null,
  onClose,
  onConnected,
  connect,
  onConsent,
  fallbackFocus,
}: SelectOrganisationDialogProps) {
  const messages = useMessages().connect.select
  const tenants = useTenantOptions(grantIds, { afterConsent })
  const options = tenants.options.filter(({ tenantId }) => tenantId !== replacing?.tenantId)
  const selection = useSelection(options, {
    choice: replacing ? 'radio' : 'checkbox',
    // The consent was meant for another organisation, so it chooses none of these.
    preselects: unreached === null,
  })
  const { results, select, isPending, forget } = useSelectTenants()

  const chosen = options.filter(
    ({ tenantId }) =>
      selection.selectedIds.has(tenantId) && results.get(tenantId)?.status !== 'connected',
  )
  const failed = options.filter(({ tenantId }) => results.get(tenantId)?.status === 'failed')
  const isPartlyDone = [...results.values()].some(({ status }) => status === 'connected')
  const isEmpty = !tenants.loading && !tenants.problem && options.length === 0

  const connectChosen = () =>
    select(chosen, {
      onSuccess: ({ connected, failed: stillFailed }) => {
        if (stillFailed.length === 0) onConnected(connected.map(({ binding }) => binding))
      },
    })

  const reconsentButton = (
    <Button
      variant="outline"
      size="sm"
      pending={connect.pendingTrigger === 'again'}
      onClick={onConsent}
    >
      {messages.signInAgain}
    </Button>
  )

  return (
    <Dialog open onOpenChange={onClose}>
      <DialogContent {...useDialogFocus({ fallbackFocus })}>
        <DialogHeader>
          <DialogTitle>{messages.title}</DialogTitle>
          <DialogDescription>
            {replacing
              ? messages.switchDescription(replacing.tenantName)
              : afterConsent
                ? messages.description(orgName)
                : messages.existingDescription(orgName)}
          </DialogDescription>
        </DialogHeader>
        <DialogBody>
          <div className="flex min-h-0 flex-1 flex-col">
            {unreached && <UnreachedNotice binding={unreached} connect={connect} />}
            {tenants.loading && options.length === 0 && <TenantListSkeleton />}
            {tenants.problem && (
              <TenantListError
                problem={tenants.problem}
                orgName={orgName}
                onRetry={tenants.retry}
                retrying={tenants.retrying}
                reconsentButton={reconsentButton}
              />
            )}
            {failed.length > 0 && !isPending && <FailureNotice failed={failed} results={results} />}
            {options.length > 0 && (
              <TenantList
                options={options}
                choice={selection.choice}
                selectedIds={selection.selectedIds}
                results={results}
                onToggle={(tenantId) => {
                  forget(tenantId)
                  selection.toggle(tenantId)
                }}
                disabled={isPending}
              />
            )}
            {isEmpty && (
              <Notice
                role="status"
                title={replacing ? messages.nothingElseReached : messages.nothingReached}
                actions={reconsentButton}
              >
                {messages.pickThere}
              </Notice>
            )}
          </div>
          {options.length > 0 && (
            <div className="mt-4 flex flex-wrap items-center gap-2 text-sm text-muted-foreground">
              {messages.notListed} {reconsentButton}
            </div>
          )}
        </DialogBody>
        <DialogFooter>
          <Button variant="outline" onClick={onClose}>
            {isPartlyDone ? messages.done : messages.cancel}
          </Button>
          <Button
            disabled={chosen.length === 0 && !isPending}
            pending={isPending}
            onClick={connectChosen}
          >
            {messages.connect(Math.max(chosen.length, 1))}
          </Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  )
}

interface FailureNoticeProps {
  failed: readonly TenantOption[]
  results: ReadonlyMap<string, SelectResult>
}

/** Says which tenants were not connected; the button of the dialog tries only these again. */
function FailureNotice({ failed, results }: FailureNoticeProps) {
  const messages = useMessages().connect.result
  const [first] = failed
  const result = first && results.get(first.tenantId)
  if (!first || result?.status !== 'failed') return null
  if (failed.length === 1) {
    return (
      <ProblemNotice
        className="mb-3 shrink-0"
        title={messages.failed(first.tenantName)}
        problem={result.problem}
      />
    )
  }
  return (
    <Notice
      role="alert"
      variant="destructive"
      className="mb-3 shrink-0"
      title={messages.severalFailed(failed.length)}
    >
      {messages.severalFailedHint}
    </Notice>
  )
}
