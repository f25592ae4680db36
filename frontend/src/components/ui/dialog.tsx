import { X } from 'lucide-react'
import { Dialog as DialogPrimitive } from 'radix-ui'
import { forwardRef, type ComponentPropsWithoutRef, type ComponentRef } from 'react'

import { cn } from '@/lib/class-names'
import { styleScope } from '@/lib/style-scope'
import { useMessages } from '@/messages'

import { Button } from './button'
import { modalBody, modalContent, modalFooter, modalHeader, modalOverlay } from './modal-styles'

export const Dialog = DialogPrimitive.Root
export const DialogTrigger = DialogPrimitive.Trigger
export const DialogClose = DialogPrimitive.Close

export const DialogContent = forwardRef<
  ComponentRef<typeof DialogPrimitive.Content>,
  ComponentPropsWithoutRef<typeof DialogPrimitive.Content>
>(function DialogContent({ className, children, ...rest }, ref) {
  const { parts } = useMessages()
  return (
    <DialogPrimitive.Portal>
      <DialogPrimitive.Overlay
        {...styleScope}
        data-slot="dialog-overlay"
        className={modalOverlay}
      />
      <DialogPrimitive.Content
        ref={ref}
        {...styleScope}
        data-slot="dialog-content"
        className={cn(modalContent, className)}
        {...rest}
      >
        {children}
        <DialogPrimitive.Close asChild>
          <Button
            variant="ghost"
            size="icon-sm"
            className="absolute end-4.5 top-4.5"
            aria-label={parts.close}
          >
            <X aria-hidden />
          </Button>
        </DialogPrimitive.Close>
      </DialogPrimitive.Content>
    </DialogPrimitive.Portal>
  )
})

export function DialogHeader({ className, ...rest }: ComponentPropsWithoutRef<'div'>) {
  return <div data-slot="dialog-header" className={cn(modalHeader, 'pe-14', className)} {...rest} />
}

/** What scrolls while the header and the footer stay, where the window is high enough for that. */
export function DialogBody({ className, ...rest }: ComponentPropsWithoutRef<'div'>) {
  return <div data-slot="dialog-body" className={cn(modalBody, className)} {...rest} />
}

export function DialogFooter({ className, ...rest }: ComponentPropsWithoutRef<'div'>) {
  return <div data-slot="dialog-footer" className={cn(modalFooter, className)} {...rest} />
}

export const DialogTitle = forwardRef<
  ComponentRef<typeof DialogPrimitive.Title>,
  ComponentPropsWithoutRef<typeof DialogPrimitive.Title>
>(function DialogTitle({ className, ...rest }, ref) {
  return (
    <DialogPrimitive.Title
      ref={ref}
      data-slot="dialog-title"
      className={cn('text-base font-semibold tracking-tight text-balance', className)}
      {...rest}
    />
  )
})

export const DialogDescription = forwardRef<
  ComponentRef<typeof DialogPrimitive.Description>,
  ComponentPropsWithoutRef<typeof DialogPrimitive.Description>
>(function DialogDescription({ className, ...rest }, ref) {
  return (
    <DialogPrimitive.Description
      ref={ref}
      data-slot="dialog-description"
      className={cn('text-sm text-pretty text-muted-foreground', className)}
      {...rest}
    />
  )
})
