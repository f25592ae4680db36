import { useId } from 'react'

import { Badge } from '@/components/badge'
import { Spinner } from '@/components/spinner'
import { useMessages, type Messages } from '@/messages'

import type { SelectResult } from './use-select-tenants'
import { isSelectable, type TenantOption } from './use-tenant-options'

interface TenantRowProps {
  option: TenantOption
  choice: 'checkbox' | 'radio'
  /** The name that the radios of one group share. */
  group: string
  checked: boolean
  result: SelectResult | undefined
  onToggle: () => void
  disabled: boolean
}

/** A tenant that can be chosen: its name, what choosing it does, and the result. */
export function TenantRow({
  option,
  choice,
  group,
  checked,
  result,
  onToggle,
  disabled,
}: TenantRowProps) {
  const messages = useMessages().connect.tenant
  const id = useId()
  const isOffered = isSelectable(option) && result?.status !== 'connected'
  return (
    <label className="group flex shrink-0 gap-3 rounded-xl border border-border px-4 py-3 transition-colors hover:bg-muted/60 has-checked:border-primary has-checked:bg-accent/50 has-disabled:bg-muted/40 has-disabled:hover:bg-muted/40">
      <input
        type={choice}
        name={group}
        checked={checked}
        disabled={!isOffered || disabled}
        onChange={onToggle}
        aria-labelledby={`${id}-name`}
        aria-describedby={`${id}-note`}
        className="mt-0.5 size-4 shrink-0 accent-primary"
      />
      <span className="min-w-0 flex-1">
        <span className="flex flex-wrap items-center justify-between gap-x-3 gap-y-1">
          <span
            id={`${id}-name`}
            className="text-sm font-medium wrap-anywhere group-has-disabled:text-muted-foreground"
          >
            <bdi>{option.tenantName}</bdi>
          </span>
          <ResultBadge option={option} result={result} />
        </span>
        <span id={`${id}-note`} className="mt-0.5 block text-xs text-pretty text-muted-foreground">
          {result?.status === 'failed' ? (
            <span className="text-destructive-text">{result.problem.detail}</span>
          ) : (
            availabilityNote(messages, option, result)
          )}
        </span>
      </span>
    </label>
  )
}

function ResultBadge({ option, result }: Pick<TenantRowProps, 'option' | 'result'>) {
  const messages = useMessages().connect.tenant
  switch (result?.status) {
    case 'connecting':
      return <Spinner className="text-muted-foreground" />
    case 'connected':
      return <Badge tone="positive">{messages.connected}</Badge>
    case 'failed':
      return <Badge tone="warning">{messages.notConnected}</Badge>
    case undefined:
      break
  }
  if (option.availability === 'bound_here') return <Badge>{messages.connected}</Badge>
  if (option.justAuthorised && isSelectable(option)) {
    return <Badge tone="positive">{messages.justAuthorised}</Badge>
  }
  return null
}

function availabilityNote(
  messages: Messages['connect']['tenant'],
  { availability }: TenantOption,
  result: SelectResult | undefined,
): string {
  if (result?.status === 'connecting') return messages.connecting
  if (result?.status === 'connected') return messages.connectedNow
  switch (availability) {
    case 'available':
      return messages.available
    case 'bound_here':
      return messages.boundHere
    case 'unavailable':
      return messages.unavailable
  }
}
