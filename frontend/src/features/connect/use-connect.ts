import { useMutation } from '@tanstack/react-query'
import { useEffect } from 'react'

import { useXeroService } from '@/api/xero-service'
import { unwrap, toApiProblem } from '@/api/problem'
import type { AuthorizationStart } from '@/api/types'
import { redirectTo } from '@/lib/redirect'

export interface ConnectFlow {
  /** Opens Xero's consent page in this window. `trigger` names the button that was pressed. */
  start: (trigger: string) => void
  /** The trigger of the start in progress. */
  pendingTrigger: string | null
}

/** Starts a consent at Xero. */
export function useConnect(): ConnectFlow {
  const { api, queryClient, showToast } = useXeroService()
  const { mutate, reset, isPending, isSuccess, variables } = useMutation<
    AuthorizationStart,
    Error,
    string
  >(
    {
      mutationFn: async () =>
        unwrap(
          await api.GET('/api/integrations/xero/start', {
            // The response sets the cookie that ties the consent to this browser.
            credentials: 'include',
          }),
        ),
      onSuccess: ({ authorizationUrl }) => redirectTo(authorizationUrl),
      onError: (error) =>
        showToast({
          kind: 'error',
          title: 'Xero could not be opened',
          description: toApiProblem(error).detail,
        }),
    },
    queryClient,
  )

  // "Back" from Xero may restore this page from the back/forward cache with its spinner.
  useEffect(() => {
    const resetOnRestore = (event: PageTransitionEvent) => {
      if (event.persisted) reset()
    }
    window.addEventListener('pageshow', resetOnRestore)
    return () => window.removeEventListener('pageshow', resetOnRestore)
  }, [reset])

  return { start: mutate, pendingTrigger: isPending || isSuccess ? variables : null }
}
