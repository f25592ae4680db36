import type { ReactNode } from 'react'

interface CenteredProps {
  title: string
  description?: ReactNode
  children?: ReactNode
}

/** Layout of a page with one message or question. */
export function Centered({ title, description, children }: CenteredProps) {
  return (
    <main className="mx-auto flex min-h-[calc(100dvh-3.5rem)] w-full max-w-md flex-col px-4 pt-[12dvh] pb-16">
      <h1 className="text-2xl font-semibold tracking-tight text-balance">{title}</h1>
      {description && (
        <p className="mt-2 text-sm text-pretty text-muted-foreground">{description}</p>
      )}
      {children && <div className="mt-6">{children}</div>}
    </main>
  )
}
