import { X } from 'lucide-react'
import { Dialog as Primitive } from 'radix-ui'
import { useRef, type ReactNode, type RefObject } from 'react'

import { Button } from './button'

interface DialogProps {
  onClose: () => void
  title: string
  description?: ReactNode
  children?: ReactNode
  footer: ReactNode
  /** Gets the focus when the dialog opens; else the dialog itself does, to be read out. */
  initialFocus?: RefObject<HTMLElement | null>
  /** Gets the focus afterwards when what had it before is gone, as a deleted row's button is. */
  fallbackFocus: RefObject<HTMLElement | null>
}

/** A modal dialog, open for as long as it is rendered. Focus goes in, stays in, and returns to where it came from. */
export function Dialog({
  onClose,
  title,
  description,
  children,
  footer,
  initialFocus,
  fallbackFocus,
}: DialogProps) {
  const cameFrom = useRef<Element | null>(null)
  return (
    <Primitive.Root open onOpenChange={(next) => !next && onClose()}>
      <Primitive.Portal>
        <Primitive.Overlay className="fixed inset-0 z-40 animate-in bg-black/45 duration-150 fade-in-0" />
        <Primitive.Content
          {...(!description && { 'aria-describedby': undefined })}
          className="fixed top-1/2 left-1/2 z-50 flex max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] max-w-lg -translate-x-1/2 -translate-y-1/2 animate-in flex-col overflow-hidden rounded-2xl border border-border bg-raised shadow-2xl duration-150 fade-in-0 outline-none zoom-in-98"
          onOpenAutoFocus={(event) => {
            cameFrom.current = document.activeElement
            event.preventDefault()
            const first = initialFocus?.current ?? event.target
            if (first instanceof HTMLElement) first.focus()
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault()
            const before = cameFrom.current
            const back =
              before instanceof HTMLElement && before.isConnected && before !== document.body
                ? before
                : fallbackFocus.current
            back?.focus()
          }}
        >
          <div className="flex flex-col gap-1.5 px-6 pt-6">
            <Primitive.Title className="pr-8 text-base font-semibold tracking-tight text-balance break-words">
              {title}
            </Primitive.Title>
            {description && (
              <Primitive.Description asChild>
                <div className="text-sm text-pretty text-muted-foreground">{description}</div>
              </Primitive.Description>
            )}
          </div>
          <div className="flex min-h-0 flex-1 flex-col px-6 py-5">{children}</div>
          <div className="flex flex-col-reverse gap-2 border-t border-border bg-background/60 px-6 py-4 sm:flex-row sm:justify-end">
            {footer}
          </div>
          <Primitive.Close asChild>
            <Button
              variant="quiet"
              size="iconSm"
              className="absolute top-4.5 right-4.5"
              aria-label="Close"
            >
              <X aria-hidden />
            </Button>
          </Primitive.Close>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  )
}
