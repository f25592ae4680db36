import { useEffect, useRef, useState } from 'react'

import { Button } from '@/components/ui/button'
import { useFormats, useMessages } from '@/messages'

interface ShowMoreProps {
  /** The number of visible entries. */
  shown: number
  /** True if there are no older entries. */
  isComplete: boolean
  loading: boolean
  onShowMore: () => void
}

/**
 * Loads older entries. The focus stays on the button while there are any, and then moves to the
 * text that replaces it. A live region announces the number of entries.
 */
export function ShowMore({ shown, isComplete, loading, onShowMore }: ShowMoreProps) {
  const { activity } = useMessages()
  const { number } = useFormats()
  const end = useRef<HTMLParagraphElement>(null)
  const [pressed, setPressed] = useState(false)

  useEffect(() => {
    // The button had the focus and was removed.
    if (pressed && isComplete && document.activeElement === document.body) end.current?.focus()
  }, [pressed, isComplete])

  return (
    <>
      {!isComplete && (
        <Button
          variant="outline"
          className="mt-3"
          pending={loading}
          onClick={() => {
            setPressed(true)
            onShowMore()
          }}
        >
          {activity.showMore}
        </Button>
      )}
      {isComplete && pressed && (
        <p ref={end} tabIndex={-1} className="mt-3 text-sm text-muted-foreground outline-none">
          {activity.nothingOlder}
        </p>
      )}
      <p role="status" className="sr-only">
        {pressed && !loading && activity.shown(number(shown))}
      </p>
    </>
  )
}
