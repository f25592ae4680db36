import { lazy, Suspense, type ReactNode } from 'react'

// Loaded after the first paint: the text reads well without it.
const TooltipText = lazy(() => import('./tooltip-text').catch(() => ({ default: PlainText })))

export interface TooltipProps {
  /** The visible text. */
  children: ReactNode
  /** The text that hover, focus or a tap shows. */
  content: ReactNode
}

/** A text with more behind it, for hover, focus and touch. */
export function Tooltip(props: TooltipProps) {
  return (
    <Suspense fallback={<PlainText {...props} />}>
      <TooltipText {...props} />
    </Suspense>
  )
}

function PlainText({ children }: TooltipProps) {
  return <span className="inline-flex items-start gap-1.5 py-0.5">{children}</span>
}
