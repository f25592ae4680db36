import { Tooltip as TooltipPrimitive } from 'radix-ui'
import { forwardRef, type ComponentPropsWithoutRef, type ComponentRef } from 'react'

import { cn } from '@/lib/class-names'

/** A tooltip needs no provider of the page: each brings its own. */
export function Tooltip({
  delayDuration = 200,
  ...rest
}: ComponentPropsWithoutRef<typeof TooltipPrimitive.Root>) {
  return (
    <TooltipPrimitive.Provider delayDuration={delayDuration}>
      <TooltipPrimitive.Root {...rest} />
    </TooltipPrimitive.Provider>
  )
}

export const TooltipTrigger = forwardRef<
  ComponentRef<typeof TooltipPrimitive.Trigger>,
  ComponentPropsWithoutRef<typeof TooltipPrimitive.Trigger>
>(function TooltipTrigger(props, ref) {
  return <TooltipPrimitive.Trigger ref={ref} data-slot="tooltip-trigger" {...props} />
})

/** Stays in its place of the page, so that it belongs to the same landmark and theme. */
export const TooltipContent = forwardRef<
  ComponentRef<typeof TooltipPrimitive.Content>,
  ComponentPropsWithoutRef<typeof TooltipPrimitive.Content>
>(function TooltipContent({ className, sideOffset = 4, ...rest }, ref) {
  return (
    <TooltipPrimitive.Content
      ref={ref}
      data-slot="tooltip-content"
      sideOffset={sideOffset}
      collisionPadding={8}
      className={cn(
        'z-50 w-fit max-w-[calc(100vw-1rem)] animate-in rounded-md border border-border bg-popover px-3 py-2 text-xs wrap-anywhere text-popover-foreground shadow-lg fade-in-0',
        className,
      )}
      {...rest}
    />
  )
})
