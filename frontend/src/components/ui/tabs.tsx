import { Tabs as TabsPrimitive } from 'radix-ui'
import { forwardRef, type ComponentPropsWithoutRef, type ComponentRef } from 'react'

import { cn } from '@/lib/class-names'

export const Tabs = forwardRef<
  ComponentRef<typeof TabsPrimitive.Root>,
  ComponentPropsWithoutRef<typeof TabsPrimitive.Root>
>(function Tabs({ className, ...rest }, ref) {
  return (
    <TabsPrimitive.Root
      ref={ref}
      data-slot="tabs"
      className={cn('flex flex-col gap-3', className)}
      {...rest}
    />
  )
})

/** After a click on a tab Radix lets Tab stop at the list once, and would draw no outline there. */
export const TabsList = forwardRef<
  ComponentRef<typeof TabsPrimitive.List>,
  ComponentPropsWithoutRef<typeof TabsPrimitive.List>
>(function TabsList({ className, ...rest }, ref) {
  return (
    <TabsPrimitive.List
      ref={ref}
      data-slot="tabs-list"
      className={cn(
        'inline-flex min-h-9 w-full items-stretch overflow-x-auto rounded-lg border border-transparent bg-muted p-0.75 text-foreground/75 focus-visible:outline-2! focus-visible:outline-ring! sm:w-fit',
        className,
      )}
      {...rest}
    />
  )
})

export const TabsTrigger = forwardRef<
  ComponentRef<typeof TabsPrimitive.Trigger>,
  ComponentPropsWithoutRef<typeof TabsPrimitive.Trigger>
>(function TabsTrigger({ className, ...rest }, ref) {
  return (
    <TabsPrimitive.Trigger
      ref={ref}
      data-slot="tabs-trigger"
      className={cn(
        'inline-flex flex-auto items-center justify-center gap-1.5 rounded-md border border-transparent px-1 text-xs font-medium wrap-normal transition-colors hover:text-foreground disabled:opacity-50 data-[state=active]:border-border data-[state=active]:bg-card data-[state=active]:text-card-foreground min-[22rem]:text-sm sm:px-2.5 forced-colors:data-[state=active]:border-2 forced-colors:data-[state=active]:border-[Highlight]',
        className,
      )}
      {...rest}
    />
  )
})

/** No stop of Tab: a panel may be higher than the window, and what is in it has the focus. */
export const TabsContent = forwardRef<
  ComponentRef<typeof TabsPrimitive.Content>,
  ComponentPropsWithoutRef<typeof TabsPrimitive.Content>
>(function TabsContent({ className, ...rest }, ref) {
  return (
    <TabsPrimitive.Content
      ref={ref}
      data-slot="tabs-content"
      tabIndex={-1}
      className={cn('flex-1', className)}
      {...rest}
    />
  )
})
