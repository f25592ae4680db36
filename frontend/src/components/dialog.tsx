import { X } from 'lucide-react'
import { Dialog as DialogPrimitive } from 'radix-ui'
import { useRef, type ReactNode, type RefObject } from 'react'

import { useMessages } from '@/messages'

import { Button } from './button'

interface DialogProps {
  onClose: () => void
  title: string
  description?: ReactNode
  children?: ReactNode
  footer: ReactNode
  /** Receives the focus when the dialog opens; by default the dialog itself does. */
  initialFocus?: RefObject<HTMLElement | null>
  /** Receives the focus on close if the previously focused element no longer exists. */
  fallbackFocus: RefObject<HTMLElement | null>
}

/** A modal dialog, open while it is rendered. It traps the focus and restores it on close. */
export function Dialog({
  onClose,
  title,
  description,
  children,
  footer,
  initialFocus,
  fallbackFocus,
}: DialogProps) {
  const { parts } = useMessages()
  const previousFocus = useRef<Element | null>(null)
  return (
    <DialogPrimitive.Root open onOpenChange={(next) => !next && onClose()}>
      <DialogPrimitive.Portal>
        <DialogPrimitive.Overlay className="fixed inset-0 z-40 animate-in bg-black/45 duration-150 fade-in-0" />
        <DialogPrimitive.Content
          {...(!description && { 'aria-describedby': undefined })}
          className="fixed top-1/2 left-1/2 z-50 flex max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] max-w-lg -translate-x-1/2 -translate-y-1/2 animate-in flex-col overflow-hidden rounded-2xl border border-border bg-raised shadow-2xl duration-150 fade-in-0 outline-none zoom-in-98"
          onOpenAutoFocus={(event) => {
            previousFocus.current = document.activeElement
            event.preventDefault()
            const first = initialFocus?.current ?? event.target
            if (first instanceof HTMLElement) first.focus()
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault()
            const before = previousFocus.current
            const back =
              before instanceof HTMLElement && before.isConnected && before !== document.body
                ? before
                : fallbackFocus.current
            back?.focus()
          }}
        >
          <div className="flex flex-col gap-1.5 px-6 pt-6">
            <DialogPrimitive.Title className="pr-8 text-base font-semibold tracking-tight text-balance break-words">
              {title}
            </DialogPrimitive.Title>
            {description && (
              <DialogPrimitive.Description asChild>
                <div className="text-sm text-pretty text-muted-foreground">{description}</div>
              </DialogPrimitive.Description>
            )}
          </div>
          <div className="flex min-h-0 flex-1 flex-col px-6 py-5">{children}</div>
          <div className="flex flex-col-reverse gap-2 border-t border-border bg-background/60 px-6 py-4 sm:flex-row sm:justify-end">
            {footer}
          </div>
          <DialogPrimitive.Close asChild>
            <Button
              variant="ghost"
              size="iconSm"
              className="absolute top-4.5 right-4.5"
              aria-label={parts.close}
            >
              <X aria-hidden />
            </Button>
          </DialogPrimitive.Close>
        </DialogPrimitive.Content>
      </DialogPrimitive.Portal>
    </DialogPrimitive.Root>
  )
}
