import { useRef, useState } from 'react'

import type { TooltipProps } from './tooltip'
import { Tooltip, TooltipContent, TooltipTrigger } from './ui/tooltip'

/** What `Tooltip` loads. Hover and focus show it, a tap or Enter shows or hides it. */
export default function TooltipText({ children, content }: TooltipProps) {
  const [open, setOpen] = useState(false)
  const wasOpen = useRef(false)
  return (
    <Tooltip open={open} onOpenChange={setOpen}>
      <TooltipTrigger
        className="-mx-1 inline-flex items-start gap-1.5 rounded-md px-1 py-0.5 text-start underline decoration-muted-foreground/50 decoration-dotted underline-offset-4 hover:decoration-current"
        onPointerDown={() => {
          wasOpen.current = open
        }}
        onClick={(event) => {
          // Radix closes at each press. A finger has no hover, so its press has to open, too.
          event.preventDefault()
          const isPointer = event.detail > 0
          setOpen(isPointer ? !wasOpen.current : !open)
        }}
      >
        {children}
      </TooltipTrigger>
      <TooltipContent align="start" side="bottom">
        {content}
      </TooltipContent>
    </Tooltip>
  )
}
