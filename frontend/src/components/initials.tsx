import { cn } from '@/lib/class-names'

/** The initials of a name in a square, as a visual mark of a row. */
export function Initials({ name, className }: { name: string; className?: string }) {
  const letters = name
    .split(/\s+/)
    .map((word) => /[\p{L}\p{N}]/u.exec(word)?.[0] ?? '')
    .join('')
    .slice(0, 2)
    .toUpperCase()
  return (
    <span
      aria-hidden
      className={cn(
        'size-10 shrink-0 items-center justify-center rounded-lg border border-border bg-muted text-xs font-medium text-muted-foreground',
        className,
      )}
    >
      {letters}
    </span>
  )
}
