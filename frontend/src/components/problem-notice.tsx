import { RotateCw } from 'lucide-react'

import { Message, useMessages } from '@/messages'

import { Button } from './button'
import { Notice } from './notice'

interface ProblemNoticeProps {
  title: string
  problem: { detail: string; requestId: string | null }
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
  const { parts } = useMessages()
  return (
    <Notice
      role="alert"
      tone="danger"
      title={title}
      className={className}
      actions={
        onRetry && (
          <Button size="sm" pending={retrying} icon={<RotateCw aria-hidden />} onClick={onRetry}>
            {parts.tryAgain}
          </Button>
        )
      }
    >
      <p>{problem.detail}</p>
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
