import { useId, useState, type ReactNode } from 'react'

interface TooltipProps {
  /** The visible text. */
  children: ReactNode
  /** The text that hover, focus or a tap shows. */
  content: ReactNode
}

/** A button that shows a tooltip on hover, focus or tap; Escape hides it. */
export function Tooltip({ children, content }: TooltipProps) {
  const [open, setOpen] = useState(false)
  const id = useId()
  const show = () => setOpen(true)
  const hide = () => setOpen(false)
  return (
    <span className="relative inline-flex align-top" onMouseEnter={show} onMouseLeave={hide}>
      <button
        type="button"
        aria-describedby={id}
        className="-mx-1 inline-flex items-center gap-1.5 rounded-md px-1 text-left underline decoration-muted-foreground/50 decoration-dotted underline-offset-4 hover:decoration-current"
        onFocus={show}
        onBlur={hide}
        onClick={show}
        onKeyDown={(event) => event.key === 'Escape' && hide()}
      >
        {children}
      </button>
      <span
        id={id}
        role="tooltip"
        hidden={!open}
        className="not-hidden:animate-in not-hidden:fade-in-0 absolute top-full -left-1 z-20 w-max max-w-[calc(100vw-3rem)] pt-1.5 text-xs text-foreground"
      >
        <span className="block rounded-lg border border-border bg-raised px-3 py-2.5 shadow-lg">
          {content}
        </span>
      </span>
    </span>
  )
}
