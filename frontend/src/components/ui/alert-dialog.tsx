import { AlertDialog as AlertDialogPrimitive } from 'radix-ui'
import { forwardRef, type ComponentPropsWithoutRef, type ComponentRef } from 'react'

import { cn } from '@/lib/class-names'
import { styleScope } from '@/lib/style-scope'

import { modalBody, modalContent, modalFooter, modalHeader, modalOverlay } from './modal-styles'

export const AlertDialog = AlertDialogPrimitive.Root
export const AlertDialogTrigger = AlertDialogPrimitive.Trigger
/** Takes the focus when the dialog opens. */
export const AlertDialogCancel = AlertDialogPrimitive.Cancel
/** Closes the dialog; an action that may fail uses a plain button in its place. */
export const AlertDialogAction = AlertDialogPrimitive.Action

/** A question that has to be answered: a click outside does not close it. */
export const AlertDialogContent = forwardRef<
  ComponentRef<typeof AlertDialogPrimitive.Content>,
  ComponentPropsWithoutRef<typeof AlertDialogPrimitive.Content>
>(function AlertDialogContent({ className, ...rest }, ref) {
  return (
    <AlertDialogPrimitive.Portal>
      <AlertDialogPrimitive.Overlay
        {...styleScope}
        data-slot="alert-dialog-overlay"
        className={modalOverlay}
      />
      <AlertDialogPrimitive.Content
        ref={ref}
        {...styleScope}
        data-slot="alert-dialog-content"
        className={cn(modalContent, className)}
        {...rest}
      />
    </AlertDialogPrimitive.Portal>
  )
})

export function AlertDialogHeader({ className, ...rest }: ComponentPropsWithoutRef<'div'>) {
  return <div data-slot="alert-dialog-header" className={cn(modalHeader, className)} {...rest} />
}

export function AlertDialogBody({ className, ...rest }: ComponentPropsWithoutRef<'div'>) {
  return <div data-slot="alert-dialog-body" className={cn(modalBody, className)} {...rest} />
}

export function AlertDialogFooter({ className, ...rest }: ComponentPropsWithoutRef<'div'>) {
  return <div data-slot="alert-dialog-footer" className={cn(modalFooter, className)} {...rest} />
}

export const AlertDialogTitle = forwardRef<
  ComponentRef<typeof AlertDialogPrimitive.Title>,
  ComponentPropsWithoutRef<typeof AlertDialogPrimitive.Title>
>(function AlertDialogTitle({ className, ...rest }, ref) {
  return (
    <AlertDialogPrimitive.Title
      ref={ref}
      data-slot="alert-dialog-title"
      className={cn('text-base font-semibold tracking-tight text-balance', className)}
      {...rest}
    />
  )
})

export const AlertDialogDescription = forwardRef<
  ComponentRef<typeof AlertDialogPrimitive.Description>,
  ComponentPropsWithoutRef<typeof AlertDialogPrimitive.Description>
>(function AlertDialogDescription({ className, ...rest }, ref) {
  return (
    <AlertDialogPrimitive.Description
      ref={ref}
      data-slot="alert-dialog-description"
      className={cn('text-sm text-pretty text-muted-foreground', className)}
      {...rest}
    />
  )
})
