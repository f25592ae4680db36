import { useEffect } from 'react'

import { useAction } from '@/api/use-action'
import { useProblemToast } from '@/api/use-problem-toast'
import { useXeroService } from '@/api/xero-service'
import { unwrap } from '@/api/problem'
import type { AuthorizationStart } from '@/api/types'
import { redirectTo } from '@/lib/redirect'
import { useMessages } from '@/messages'

export interface ConnectFlow {
  /** Opens Xero's consent page in this window. `trigger` names the button that was pressed. */
  start: (trigger: string) => void
  /** Opens Xero's consent page for a binding; the trigger is its id. */
  reconnect: (bindingId: string) => void
  /** The trigger of the start in progress. */
  pendingTrigger: string | null
}

/** Starts a consent at Xero. */
export function useConnect(): ConnectFlow {
  const { api } = useXeroService()
  const showProblem = useProblemToast()
  const messages = useMessages().connect
  const { mutate, reset, isPending, isSuccess, variables } = useAction<
    AuthorizationStart,
    { trigger: string; bindingId: string | null }
  >({
    mutationFn: async ({ bindingId }) =>
      unwrap(
        await api.GET('/api/integrations/xero/start', {
          params: { query: bindingId === null ? {} : { reconnect: bindingId } },
          // The response sets the cookie that ties the consent to this browser.
          credentials: 'include',
        }),
      ),
    onSuccess: ({ authorizationUrl }) => redirectTo(authorizationUrl),
    onError: (error) => showProblem(messages.xeroNotOpened, error),
  })

  // "Back" from Xero may restore this page from the back/forward cache with its spinner.
  useEffect(() => {
    const resetOnRestore = (event: PageTransitionEvent) => {
      if (event.persisted) reset()
    }
    window.addEventListener('pageshow', resetOnRestore)
    return () => window.removeEventListener('pageshow', resetOnRestore)
  }, [reset])

  const open = (trigger: string, bindingId: string | null) => {
    // After a success the browser is already on its way to Xero.
    if (!isSuccess) mutate({ trigger, bindingId })
  }
  return {
    start: (trigger) => open(trigger, null),
    reconnect: (bindingId) => open(bindingId, bindingId),
    pendingTrigger: isPending || isSuccess ? variables.trigger : null,
  }
}
