import { cn } from '@/lib/class-names'

/** A grey shape that keeps the place of what is on its way. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cn('animate-pulse bg-muted', className)} />
}
