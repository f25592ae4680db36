import { useId } from 'react'

import { Spinner } from '@/components/spinner'
import { Badge } from '@/components/ui/badge'
import { Checkbox } from '@/components/ui/checkbox'
import { RadioGroupItem } from '@/components/ui/radio-group'
import { problemText, useMessages, type Messages } from '@/messages'

import type { SelectResult } from './use-select-tenants'
import { isSelectable, type TenantOption } from './use-tenant-options'

interface TenantRowProps {
  option: TenantOption
  choice: 'checkbox' | 'radio'
  checked: boolean
  result: SelectResult | undefined
  onToggle: () => void
  disabled: boolean
}

/** A tenant that can be chosen: its name, what choosing it does, and the result. */
export function TenantRow({ option, choice, checked, result, onToggle, disabled }: TenantRowProps) {
  const messages = useMessages()
  const id = useId()
  const isOffered = isSelectable(option) && result?.status !== 'connected'
  const control = {
    disabled: !isOffered || disabled,
    'aria-labelledby': `${id}-name`,
    'aria-describedby': `${id}-note`,
    className: 'mt-0.5',
  }
  return (
    <label className="group flex shrink-0 gap-3 rounded-xl border border-border px-4 py-3 transition-colors hover:bg-muted/60 has-disabled:bg-muted/40 has-disabled:hover:bg-muted/40 has-data-[state=checked]:border-primary has-data-[state=checked]:bg-accent/50">
      {choice === 'radio' ? (
        <RadioGroupItem value={option.tenantId} {...control} />
      ) : (
        <Checkbox checked={checked} onCheckedChange={onToggle} {...control} />
      )}
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
            <span className="text-destructive-text">{problemText(messages, result.problem)}</span>
          ) : (
            availabilityNote(messages.connect.tenant, option, result)
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
      return <Badge variant="success">{messages.connected}</Badge>
    case 'failed':
      return <Badge variant="destructive">{messages.notConnected}</Badge>
    case undefined:
      break
  }
  if (option.availability === 'bound_here')
    return <Badge variant="secondary">{messages.connected}</Badge>
  if (option.justAuthorised && isSelectable(option)) {
    return <Badge variant="success">{messages.justAuthorised}</Badge>
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
