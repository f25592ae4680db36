import { Search } from 'lucide-react'

import { cn } from '@/lib/class-names'

interface SearchFieldProps {
  label: string
  value: string
  onChange: (value: string) => void
  className?: string
}

/** A search field whose label is its placeholder. */
export function SearchField({ label, value, onChange, className }: SearchFieldProps) {
  return (
    <label className={cn('relative block', className)}>
      <span className="sr-only">{label}</span>
      <Search
        aria-hidden
        className="pointer-events-none absolute top-2.5 left-3 size-4 text-muted-foreground"
      />
      <input
        type="search"
        value={value}
        onChange={(event) => onChange(event.target.value)}
        placeholder={label}
        className="h-9 w-full rounded-lg border border-input bg-surface pr-3 pl-9 text-sm placeholder:text-muted-foreground"
      />
    </label>
  )
}
