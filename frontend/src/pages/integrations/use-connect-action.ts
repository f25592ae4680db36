import type { Binding } from '@/api/types'
import type { ConnectFlow } from '@/features/connect/use-connect'
import { useMoreInReach } from '@/features/connect/use-more-in-reach'

import { liveGrantIds } from './use-active-dialog'

interface ConnectActionOptions {
  bindings: readonly Binding[]
  connect: ConnectFlow
  /** Offers what existing consents reach. */
  openExisting: () => void
}

/** What "Connect Xero" does: it offers what existing consents reach, else it opens Xero. */
export function useConnectAction({ bindings, connect, openExisting }: ConnectActionOptions) {
  const reach = useMoreInReach()
  const grantIds = liveGrantIds(bindings)
  return {
    pending: reach.isPending || connect.pendingTrigger === 'connect',
    onConnect: () => {
      if (grantIds.length === 0) {
        connect.start('connect')
        return
      }
      reach.mutate(grantIds, {
        onSuccess: (isMore) => {
          if (isMore) openExisting()
          else connect.start('connect')
        },
      })
    },
  }
}
