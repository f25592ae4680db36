/**
 * The looks that Dialog and AlertDialog share. In a low window (a phone on its side, a zoom of
 * 400 %) everything in the dialog scrolls; in a high one only the body does.
 */
export const modalOverlay = 'fixed inset-0 z-40 animate-in bg-black/45 duration-150 fade-in-0'

export const modalContent =
  'fixed top-1/2 left-1/2 z-50 flex max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] max-w-lg -translate-x-1/2 -translate-y-1/2 animate-in flex-col overflow-y-auto overscroll-contain rounded-2xl border border-border bg-popover text-popover-foreground shadow-2xl duration-150 wrap-anywhere fade-in-0 outline-none zoom-in-98 tall:overflow-hidden [&_:focus-visible]:scroll-m-2'

export const modalHeader = 'flex shrink-0 flex-col gap-1.5 px-6 pt-6'

export const modalBody =
  'flex flex-1 shrink-0 flex-col px-6 py-5 tall:min-h-0 tall:shrink tall:overflow-y-auto tall:overscroll-contain'

export const modalFooter =
  'flex shrink-0 flex-col-reverse gap-2 border-t border-border bg-background/60 px-6 py-4 *:h-auto *:min-h-9 *:py-1 *:text-balance *:whitespace-normal sm:flex-row sm:justify-end'
