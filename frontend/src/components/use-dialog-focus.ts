import { useRef, type FocusEvent, type RefObject } from 'react'

export interface DialogFocus {
  /** Receives the focus when the dialog opens; by default the dialog itself does. */
  initialFocus?: RefObject<HTMLElement | null>
  /** Receives the focus on close if the previously focused element no longer exists. */
  fallbackFocus: RefObject<HTMLElement | null>
}

/** Returns the handlers of a dialog's content that move the focus into it, and back on close. */
export function useDialogFocus({ initialFocus, fallbackFocus }: DialogFocus) {
  const previousFocus = useRef<Element | null>(null)
  return {
    // Where Tab wraps around, Radix focuses without scrolling: in a low window the focus vanished.
    onFocus: ({ target, currentTarget }: FocusEvent) => {
      if (target !== currentTarget) target.scrollIntoView({ block: 'nearest' })
    },
    onOpenAutoFocus: (event: Event) => {
      previousFocus.current = document.activeElement
      event.preventDefault()
      const first = initialFocus?.current ?? event.target
      if (first instanceof HTMLElement) first.focus()
    },
    onCloseAutoFocus: (event: Event) => {
      event.preventDefault()
      const before = previousFocus.current
      const back =
        before instanceof HTMLElement && before.isConnected && before !== document.body
          ? before
          : fallbackFocus.current
      back?.focus()
    },
  }
}
