import { problemText, useMessages } from '@/messages'

import { toApiProblem } from './problem'
import { useXeroService } from './xero-service'

/** Returns a function that shows a failure as a toast, with the catalogue's text for its code. */
export function useProblemToast(): (title: string, error: unknown) => void {
  const { showToast } = useXeroService()
  const messages = useMessages()
  return (title, error) =>
    showToast({
      kind: 'error',
      title,
      description: problemText(messages, toApiProblem(error)),
    })
}
