import { useState, type ReactNode, type RefObject } from 'react'

import { toApiProblem, type ApiProblem } from '@/api/problem'
import type { Binding } from '@/api/types'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { Notice } from '@/components/notice'
import { ProblemNotice } from '@/components/problem-notice'
import { Skeleton } from '@/components/skeleton'

import { defaultTenantId, useTenantOptions } from './use-tenant-options'
import { TenantRadioGroup } from './tenant-radio-group'
import { useSelectTenant } from './use-select-tenant'

interface SelectOrganisationDialogProps {
  /** The grants to list tenants of: that of the new consent, or all live ones. */
  grantIds: readonly string[]
  orgName: string
  /** True directly after a consent. */
  afterConsent: boolean
  /** In a switch, the binding that the selected organisation is to replace. */
  replacing: Binding | null
  onClose: () => void
  onConnected: (connected: Binding) => void
  /** Starts another consent at Xero, which may reach more organisations. */
  onConsent: () => void
  consenting: boolean
  fallbackFocus: RefObject<HTMLElement | null>
}

/** Lets an admin choose which of the organisations that a consent reached to connect. */
export function SelectOrganisationDialog({
  grantIds,
  orgName,
  afterConsent,
  replacing,
  onClose,
  onConnected,
  onConsent,
  consenting,
  fallbackFocus,
}: SelectOrganisationDialogProps) {
  const tenants = useTenantOptions(grantIds, { afterConsent })
  const select = useSelectTenant()
  const [pickedId, setPickedId] = useState<string | null>(null)

  const selectedId = pickedId ?? defaultTenantId(tenants.options)
  const selected = tenants.options.find(({ tenantId }) => tenantId === selectedId)
  const isEmpty = !tenants.loading && !tenants.problem && tenants.options.length === 0

  const pickOption = (tenantId: string) => {
    select.reset()
    setPickedId(tenantId)
  }

  const reconsentButton = (
    <Button size="sm" pending={consenting} onClick={onConsent}>
      Sign in to Xero again
    </Button>
  )

  return (
    <Dialog
      onClose={onClose}
      title="Select a Xero organisation"
      description={
        replacing ? (
          <p>Choose the organisation to use in place of {replacing.tenantName}.</p>
        ) : (
          <p>Choose which one to connect to {orgName}. You can add others afterwards.</p>
        )
      }
      fallbackFocus={fallbackFocus}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            variant="primary"
            disabled={!selected}
            pending={select.isPending}
            onClick={() => selected && select.mutate(selected, { onSuccess: onConnected })}
          >
            Connect organisation
          </Button>
        </>
      }
    >
      <div className="flex min-h-0 flex-1 flex-col">
        {tenants.loading && tenants.options.length === 0 && <TenantListSkeleton />}
        {tenants.problem && (
          <ListError
            problem={tenants.problem}
            orgName={orgName}
            onRetry={tenants.retry}
            retrying={tenants.retrying}
            reconsentButton={reconsentButton}
          />
        )}
        {tenants.options.length > 0 && (
          <TenantRadioGroup
            options={tenants.options}
            selectedId={selectedId}
            onSelect={pickOption}
          />
        )}
        {isEmpty && (
          <Notice
            role="status"
            title="This sign-in to Xero reaches no organisation"
            actions={reconsentButton}
          >
            Sign in to Xero again and pick an organisation there.
          </Notice>
        )}
        {select.isError && (
          <ProblemNotice
            className="mt-3"
            title={`${selected?.tenantName ?? 'The organisation'} was not connected`}
            problem={toApiProblem(select.error)}
          />
        )}
      </div>
      {tenants.options.length > 0 && (
        <div className="mt-4 flex flex-wrap items-center gap-2 text-sm text-muted-foreground">
          The one you want is not listed? {reconsentButton}
        </div>
      )}
    </Dialog>
  )
}

interface ListErrorProps {
  problem: ApiProblem
  orgName: string
  onRetry: () => void
  retrying: boolean
  reconsentButton: ReactNode
}

function ListError({ problem, orgName, onRetry, retrying, reconsentButton }: ListErrorProps) {
  if (problem.code === 'reauthorization_required') {
    return (
      <Notice
        role="alert"
        tone="warning"
        title="This sign-in to Xero no longer works"
        actions={reconsentButton}
      >
        Xero no longer accepts it. Sign in to Xero again to continue.
      </Notice>
    )
  }
  if (problem.status === 404) {
    return (
      <Notice
        role="alert"
        tone="warning"
        title={`This sign-in to Xero is not ${orgName}'s`}
        actions={reconsentButton}
      >
        It was made for another organisation or by somebody else, or it has ended. Switch to the
        organisation it was made for, or sign in to Xero again.
      </Notice>
    )
  }
  return (
    <ProblemNotice
      className="mb-3"
      title="Xero's organisations could not be listed"
      problem={problem}
      onRetry={onRetry}
      retrying={retrying}
    />
  )
}

function TenantListSkeleton() {
  return (
    <div role="status" aria-label="Asking Xero for your organisations" className="grid gap-2">
      {[1, 2, 3].map((row) => (
        <Skeleton key={row} className="h-15.5 rounded-xl" />
      ))}
    </div>
  )
}
