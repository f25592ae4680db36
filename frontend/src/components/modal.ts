import { useRef, type FocusEvent, type ReactNode, type RefObject } from 'react'

/** A dialog that is open while it is rendered. */
export interface ModalProps {
  onClose: () => void
  title: ReactNode
  description?: ReactNode
  children?: ReactNode
  footer?: ReactNode
  /** Receives the focus when the dialog opens; by default the dialog itself does. */
  initialFocus?: RefObject<HTMLElement | null>
  /** Receives the focus on close if the previously focused element no longer exists. */
  fallbackFocus: RefObject<HTMLElement | null>
}

/** Handlers that move the focus into a dialog, and back to where it was. */
export function useModalFocus({
  initialFocus,
  fallbackFocus,
}: Pick<ModalProps, 'initialFocus' | 'fallbackFocus'>) {
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
