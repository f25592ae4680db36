import { forwardRef, type ComponentPropsWithoutRef } from 'react'

import { cn } from '@/lib/class-names'

/** A table that scrolls sideways in its own frame, never the page. */
export const Table = forwardRef<HTMLTableElement, ComponentPropsWithoutRef<'table'>>(function Table(
  { className, ...rest },
  ref,
) {
  return (
    <div data-slot="table-container" className="relative w-full overflow-x-auto">
      <table
        ref={ref}
        data-slot="table"
        className={cn('w-full caption-bottom text-sm', className)}
        {...rest}
      />
    </div>
  )
})

export const TableHeader = forwardRef<HTMLTableSectionElement, ComponentPropsWithoutRef<'thead'>>(
  function TableHeader({ className, ...rest }, ref) {
    return (
      <thead
        ref={ref}
        data-slot="table-header"
        className={cn('[&_tr]:border-b', className)}
        {...rest}
      />
    )
  },
)

export const TableBody = forwardRef<HTMLTableSectionElement, ComponentPropsWithoutRef<'tbody'>>(
  function TableBody({ className, ...rest }, ref) {
    return (
      <tbody
        ref={ref}
        data-slot="table-body"
        className={cn('[&_tr:last-child]:border-0', className)}
        {...rest}
      />
    )
  },
)

export const TableRow = forwardRef<HTMLTableRowElement, ComponentPropsWithoutRef<'tr'>>(
  function TableRow({ className, ...rest }, ref) {
    return (
      <tr
        ref={ref}
        data-slot="table-row"
        className={cn('border-b border-border transition-colors hover:bg-muted/50', className)}
        {...rest}
      />
    )
  },
)

export const TableHead = forwardRef<HTMLTableCellElement, ComponentPropsWithoutRef<'th'>>(
  function TableHead({ className, ...rest }, ref) {
    return (
      <th
        ref={ref}
        data-slot="table-head"
        className={cn(
          'h-9 px-3 text-start align-middle font-medium text-muted-foreground',
          className,
        )}
        {...rest}
      />
    )
  },
)

export const TableCell = forwardRef<HTMLTableCellElement, ComponentPropsWithoutRef<'td'>>(
  function TableCell({ className, ...rest }, ref) {
    return (
      <td
        ref={ref}
        data-slot="table-cell"
        className={cn('p-3 align-middle wrap-anywhere', className)}
        {...rest}
      />
    )
  },
)

export const TableCaption = forwardRef<
  HTMLTableCaptionElement,
  ComponentPropsWithoutRef<'caption'>
>(function TableCaption({ className, ...rest }, ref) {
  return (
    <caption
      ref={ref}
      data-slot="table-caption"
      className={cn('mt-3 text-sm text-muted-foreground', className)}
      {...rest}
    />
  )
})
