import { cn } from '@/lib/class-names'

import { Avatar, AvatarFallback } from './ui/avatar'

/** The initials of a name in a square, as a visual mark of a row. */
export function Initials({ name, className }: { name: string; className?: string }) {
  const letters = name
    .split(/\s+/)
    .map((word) => /[\p{L}\p{N}]/u.exec(word)?.[0] ?? '')
    .join('')
    .slice(0, 2)
    .toUpperCase()
  return (
    <Avatar aria-hidden className={cn(className)}>
      <AvatarFallback>{letters}</AvatarFallback>
    </Avatar>
  )
}
