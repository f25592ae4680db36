import { RotateCw } from 'lucide-react'

import { Message, problemText, useMessages } from '@/messages'

import { Button } from './ui/button'
import { Notice } from './notice'

/** A failed request, or another failure that has no code. */
type Problem =
  | { code: string; status: number; detail: string; requestId: string | null }
  | { code?: never; detail: string; requestId: null }

interface ProblemNoticeProps {
  title: string
  problem: Problem
  onRetry?: () => void
  retrying?: boolean
  className?: string | undefined
}

/** Shows what failed, the reason, a retry button and the request id for support. */
export function ProblemNotice({
  title,
  problem,
  onRetry,
  retrying = false,
  className,
}: ProblemNoticeProps) {
  const messages = useMessages()
  const { parts } = messages
  const text = problem.code === undefined ? problem.detail : problemText(messages, problem)
  return (
    <Notice
      role="alert"
      variant="destructive"
      title={title}
      className={className}
      actions={
        onRetry && (
          <Button variant="outline" size="sm" pending={retrying} onClick={onRetry}>
            <RotateCw aria-hidden />
            {parts.tryAgain}
          </Button>
        )
      }
    >
      <p>{text}</p>
      {problem.requestId && (
        <p className="mt-1 text-xs">
          <Message
            text={parts.reference}
            values={{ id: <code className="font-mono break-all">{problem.requestId}</code> }}
          />
        </p>
      )}
    </Notice>
  )
}
