import { forwardRef, type ComponentPropsWithoutRef } from 'react'

import { cn } from '@/lib/class-names'

export const Card = forwardRef<HTMLDivElement, ComponentPropsWithoutRef<'div'>>(function Card(
  { className, ...rest },
  ref,
) {
  return (
    <div
      ref={ref}
      data-slot="card"
      className={cn(
        'rounded-xl border border-border bg-card wrap-anywhere text-card-foreground shadow-xs',
        className,
      )}
      {...rest}
    />
  )
})

export const CardHeader = forwardRef<HTMLDivElement, ComponentPropsWithoutRef<'div'>>(
  function CardHeader({ className, ...rest }, ref) {
    return (
      <div
        ref={ref}
        data-slot="card-header"
        className={cn('flex flex-col gap-1.5 p-4 sm:p-5', className)}
        {...rest}
      />
    )
  },
)

export const CardTitle = forwardRef<HTMLHeadingElement, ComponentPropsWithoutRef<'h3'>>(
  function CardTitle({ className, ...rest }, ref) {
    return (
      <h3
        ref={ref}
        data-slot="card-title"
        className={cn('text-sm font-semibold wrap-anywhere', className)}
        {...rest}
      />
    )
  },
)

export const CardDescription = forwardRef<HTMLParagraphElement, ComponentPropsWithoutRef<'p'>>(
  function CardDescription({ className, ...rest }, ref) {
    return (
      <p
        ref={ref}
        data-slot="card-description"
        className={cn('text-sm text-pretty text-muted-foreground', className)}
        {...rest}
      />
    )
  },
)

export const CardContent = forwardRef<HTMLDivElement, ComponentPropsWithoutRef<'div'>>(
  function CardContent({ className, ...rest }, ref) {
    return (
      <div
        ref={ref}
        data-slot="card-content"
        className={cn('px-4 pb-4 sm:px-5 sm:pb-5', className)}
        {...rest}
      />
    )
  },
)

export const CardFooter = forwardRef<HTMLDivElement, ComponentPropsWithoutRef<'div'>>(
  function CardFooter({ className, ...rest }, ref) {
    return (
      <div
        ref={ref}
        data-slot="card-footer"
        className={cn('flex flex-wrap items-center gap-2 px-4 pb-4 sm:px-5 sm:pb-5', className)}
        {...rest}
      />
    )
  },
)
