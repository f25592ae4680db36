import type { ReactNode } from 'react'

import type { ApiProblem } from '@/api/problem'
import { Notice } from '@/components/notice'
import { ProblemNotice } from '@/components/problem-notice'
import { Skeleton } from '@/components/ui/skeleton'
import { useMessages } from '@/messages'

interface TenantListErrorProps {
  problem: ApiProblem
  orgName: string
  onRetry: () => void
  retrying: boolean
  reconsentButton: ReactNode
}

/** Why the tenants of a consent could not be listed, and what to do. */
export function TenantListError({
  problem,
  orgName,
  onRetry,
  retrying,
  reconsentButton,
}: TenantListErrorProps) {
  const messages = useMessages().connect.select
  if (problem.code === 'reauthorization_required') {
    return (
      <Notice role="alert" variant="warning" title={messages.consentDead} actions={reconsentButton}>
        {messages.consentDeadHint}
      </Notice>
    )
  }
  if (problem.status === 404) {
    return (
      <Notice
        role="alert"
        variant="warning"
        title={messages.consentForeign(orgName)}
        actions={reconsentButton}
      >
        {messages.consentForeignHint}
      </Notice>
    )
  }
  // A person or a mail program cut the link off.
  if (problem.status === 422) {
    return (
      <Notice role="alert" variant="warning" title={messages.linkDamaged} actions={reconsentButton}>
        {messages.linkDamagedHint}
      </Notice>
    )
  }
  return (
    <ProblemNotice
      className="mb-3 last:mb-0"
      title={messages.listFailed}
      problem={problem}
      onRetry={onRetry}
      retrying={retrying}
    />
  )
}

export function TenantListSkeleton() {
  const messages = useMessages().connect.select
  return (
    <div role="status" aria-label={messages.loading} className="grid gap-2">
      {[1, 2, 3].map((row) => (
        <Skeleton key={row} className="h-15.5 rounded-xl" />
      ))}
    </div>
  )
}
