import type { Binding } from '@/api/types'
import { Button } from '@/components/ui/button'
import { useMessages } from '@/messages'

import { conditionOf } from './condition'

interface NextActionProps {
  binding: Binding
  onReconnect: (binding: Binding) => void
  /** The id of the binding whose reconnect is in progress. */
  reconnectingId: string | null
  /** The element with the organisation's name. */
  nameId: string
}

/** The button that mends what the condition says; none where nothing is to be done. */
export function NextAction({ binding, onReconnect, reconnectingId, nameId }: NextActionProps) {
  const messages = useMessages().connections.row
  const condition = conditionOf(binding)
  if (condition !== 'needs_reauth' && condition !== 'permissions_missing') return null
  return (
    <Button
      variant={condition === 'needs_reauth' ? 'default' : 'outline'}
      size="sm"
      className="mt-3 self-start first:mt-0"
      aria-describedby={nameId}
      pending={reconnectingId === binding.id}
      onClick={() => onReconnect(binding)}
    >
      {condition === 'needs_reauth' ? messages.reconnect : messages.updatePermissions}
    </Button>
  )
}
