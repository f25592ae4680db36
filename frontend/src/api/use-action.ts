import { useMutation, type UseMutationOptions } from '@tanstack/react-query'
import { useRef } from 'react'

import { useXeroService } from './xero-service'

/**
 * A mutation that ignores calls while one is running. A second click in the same task comes
 * before the button renders as pending, so the state of the mutation is not enough.
 */
export function useAction<Data, Variables = void>(
  options: UseMutationOptions<Data, Error, Variables>,
) {
  const { queryClient } = useXeroService()
  const running = useRef(false)
  const mutation = useMutation<Data, Error, Variables>(
    {
      ...options,
      onSettled: (...settled) => {
        running.current = false
        return options.onSettled?.(...settled)
      },
    },
    queryClient,
  )
  const run: typeof mutation.mutate = (...call) => {
    if (running.current) return
    running.current = true
    mutation.mutate(...call)
  }
  return { ...mutation, mutate: run }
}
