/** The looks that DropdownMenu and Select share. */
export const menuContent =
  'z-50 max-h-(--radix-popper-available-height) min-w-32 animate-in overflow-x-hidden overflow-y-auto rounded-md border border-border bg-popover p-1 text-popover-foreground shadow-lg fade-in-0'

export const menuItem =
  "relative flex min-h-8 cursor-default items-center gap-2 rounded-sm px-2 py-1.5 text-sm outline-none select-none wrap-anywhere data-[disabled]:pointer-events-none data-[disabled]:opacity-50 data-[highlighted]:bg-accent data-[highlighted]:text-accent-foreground forced-colors:data-[highlighted]:bg-[Highlight] forced-colors:data-[highlighted]:text-[HighlightText] [&_svg:not([class*='size-'])]:size-4"
