import { useEffect, useRef, useState } from 'react'

import { Button } from '@/components/button'

interface MoreProps {
  /** How many entries can be seen. */
  shown: number
  /** There is nothing older. */
  isAll: boolean
  loading: boolean
  onMore: () => void
}

/**
 * The way to older entries. The focus stays on the button while there are any, and then goes to
 * the words that take its place; what came is counted aloud, politely.
 */
export function More({ shown, isAll, loading, onMore }: MoreProps) {
  const end = useRef<HTMLParagraphElement>(null)
  const [pressed, setPressed] = useState(false)

  useEffect(() => {
    // The button had the focus and is gone.
    if (pressed && isAll && document.activeElement === document.body) end.current?.focus()
  }, [pressed, isAll])

  return (
    <>
      {!isAll && (
        <Button
          className="mt-3"
          pending={loading}
          onClick={() => {
            setPressed(true)
            onMore()
          }}
        >
          Show more
        </Button>
      )}
      {isAll && pressed && (
        <p ref={end} tabIndex={-1} className="mt-3 text-sm text-muted-foreground outline-none">
          Nothing older is on record.
        </p>
      )}
      <p role="status" className="sr-only">
        {pressed && !loading && `${shown} entries are shown.`}
      </p>
    </>
  )
}
