import { useMutation } from '@tanstack/react-query'
import { useEffect } from 'react'
import { toast } from 'sonner'

import { useApi } from '@/api/api-context'
import { answered, asProblem } from '@/api/problem'
import type { Started } from '@/api/types'
import { redirectTo } from '@/lib/redirect'

export interface Connect {
  /** Goes to Xero's consent page in this window. `reason` tells apart what was pressed. */
  start: (reason: string) => void
  /** The reason of the start that is under way. */
  starting: string | null
}

/** Starts a consent at Xero. */
export function useConnect(): Connect {
  const api = useApi()
  const { mutate, reset, isPending, isSuccess, variables } = useMutation<Started, Error, string>({
    mutationFn: async () =>
      answered(
        await api.GET('/api/integrations/xero/start', {
          // The answer sets the cookie that ties the consent to this browser.
          credentials: 'include',
        }),
      ),
    onSuccess: ({ authorizationUrl }) => redirectTo(authorizationUrl),
    onError: (error) =>
      toast.error('Xero could not be opened', { description: asProblem(error).detail }),
  })

  // "Back" from Xero may bring this very page back to life, its button still spinning.
  useEffect(() => {
    const comeBack = (event: PageTransitionEvent) => {
      if (event.persisted) reset()
    }
    window.addEventListener('pageshow', comeBack)
    return () => window.removeEventListener('pageshow', comeBack)
  }, [reset])

  return { start: mutate, starting: isPending || isSuccess ? variables : null }
}
