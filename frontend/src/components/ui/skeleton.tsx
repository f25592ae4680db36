import { forwardRef, type ComponentPropsWithoutRef } from 'react'

import { cn } from '@/lib/class-names'

/** A placeholder for content that is loading. The element around it says what is. */
export const Skeleton = forwardRef<HTMLDivElement, ComponentPropsWithoutRef<'div'>>(
  function Skeleton({ className, ...rest }, ref) {
    return (
      <div
        ref={ref}
        data-slot="skeleton"
        className={cn('animate-pulse rounded-md bg-muted', className)}
        {...rest}
      />
    )
  },
)
