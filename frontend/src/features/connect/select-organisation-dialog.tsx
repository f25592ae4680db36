import { useState, type ReactNode, type RefObject } from 'react'

import { asProblem, type ApiProblem } from '@/api/problem'
import type { Binding } from '@/api/types'
import { Button } from '@/components/button'
import { Dialog } from '@/components/dialog'
import { Notice } from '@/components/notice'
import { ProblemNotice } from '@/components/problem-notice'
import { Skeleton } from '@/components/skeleton'

import { preselected, useTenantChoices } from './tenant-choices'
import { TenantOptions } from './tenant-options'
import { useSelectTenant } from './use-select-tenant'

interface SelectOrganisationDialogProps {
  /** The consents to choose from: the one that just came back, or all that are alive. */
  grantIds: readonly string[]
  orgName: string
  /** Whether Xero sent the person back just now. */
  afterConsent: boolean
  /** The organisation that the choice is to replace, in a switch. */
  replacing: Binding | null
  onClose: () => void
  onConnected: (connected: Binding) => void
  /** Goes to Xero for a consent that reaches more, or reaches anything at all. */
  onConsent: () => void
  consenting: boolean
  fallbackFocus: RefObject<HTMLElement | null>
}

/** Lets an admin choose which of the organisations that a consent reached is to be connected. */
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
  const tenants = useTenantChoices(grantIds, { afterConsent })
  const select = useSelectTenant()
  const [picked, setPicked] = useState<string | null>(null)

  const chosen = picked ?? preselected(tenants.choices)
  const choice = tenants.choices.find(({ tenantId }) => tenantId === chosen)
  const nothingThere = !tenants.loading && !tenants.problem && tenants.choices.length === 0

  const pick = (tenantId: string) => {
    select.reset()
    setPicked(tenantId)
  }

  const consentAgain = (
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
            disabled={!choice}
            pending={select.isPending}
            onClick={() => choice && select.mutate(choice, { onSuccess: onConnected })}
          >
            Connect organisation
          </Button>
        </>
      }
    >
      <div className="flex min-h-0 flex-1 flex-col">
        {tenants.loading && tenants.choices.length === 0 && <Loading />}
        {tenants.problem && (
          <Unlisted
            problem={tenants.problem}
            orgName={orgName}
            onRetry={tenants.retry}
            retrying={tenants.retrying}
            consentAgain={consentAgain}
          />
        )}
        {tenants.choices.length > 0 && (
          <TenantOptions choices={tenants.choices} chosen={chosen} onChoose={pick} />
        )}
        {nothingThere && (
          <Notice
            role="status"
            title="This sign-in to Xero reaches no organisation"
            actions={consentAgain}
          >
            Sign in to Xero again and pick an organisation there.
          </Notice>
        )}
        {select.isError && (
          <ProblemNotice
            className="mt-3"
            title={`${choice?.tenantName ?? 'The organisation'} was not connected`}
            problem={asProblem(select.error)}
          />
        )}
      </div>
      {tenants.choices.length > 0 && (
        <div className="mt-4 flex flex-wrap items-center gap-2 text-sm text-muted-foreground">
          The one you want is not listed? {consentAgain}
        </div>
      )}
    </Dialog>
  )
}

interface UnlistedProps {
  problem: ApiProblem
  orgName: string
  onRetry: () => void
  retrying: boolean
  consentAgain: ReactNode
}

function Unlisted({ problem, orgName, onRetry, retrying, consentAgain }: UnlistedProps) {
  if (problem.code === 'reauthorization_required') {
    return (
      <Notice
        role="alert"
        tone="warning"
        title="This sign-in to Xero no longer works"
        actions={consentAgain}
      >
        Xero no longer accepts it. Sign in to Xero again to go on.
      </Notice>
    )
  }
  if (problem.status === 404) {
    return (
      <Notice
        role="alert"
        tone="warning"
        title={`This sign-in to Xero is not ${orgName}'s`}
        actions={consentAgain}
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

function Loading() {
  return (
    <div role="status" aria-label="Asking Xero for your organisations" className="grid gap-2">
      {[1, 2, 3].map((row) => (
        <Skeleton key={row} className="h-15.5 rounded-xl" />
      ))}
    </div>
  )
}
