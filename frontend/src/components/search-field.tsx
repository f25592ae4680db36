import { Search } from 'lucide-react'

import { cn } from '@/lib/class-names'

import { Input } from './ui/input'

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
        className="pointer-events-none absolute start-3 top-2.5 size-4 text-muted-foreground"
      />
      <Input
        type="search"
        value={value}
        onChange={(event) => onChange(event.target.value)}
        placeholder={label}
        className="ps-9 [&::-webkit-search-cancel-button]:opacity-60 [&::-webkit-search-cancel-button]:grayscale"
      />
    </label>
  )
}
