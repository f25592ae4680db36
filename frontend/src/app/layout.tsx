import { Link2 } from 'lucide-react'
import type { ReactNode } from 'react'

import { Skeleton } from '@/components/ui/skeleton'
import { ThemeSwitch } from '@/components/theme-switch'
import { useMessages } from '@/messages'

/** The header, of constant height, and the page below it. */
export function Layout({ controls, children }: { controls?: ReactNode; children: ReactNode }) {
  const { app } = useMessages()
  return (
    <>
      <header className="sticky top-0 z-30 border-b border-border bg-background/85 backdrop-blur">
        <div className="mx-auto flex h-14 max-w-4xl items-center gap-2 px-4 sm:px-6">
          <span className="mr-auto flex items-center gap-2 text-sm font-semibold">
            <Link2 aria-hidden className="size-4" />
            <span className="max-sm:sr-only">{app.settings}</span>
          </span>
          {controls}
          <ThemeSwitch />
        </div>
      </header>
      {children}
    </>
  )
}

/** The placeholder of the page while the session loads. */
export function LoadingPage() {
  const { app } = useMessages()
  return (
    <Layout>
      <main className="mx-auto w-full max-w-4xl px-4 pt-10 pb-20 sm:px-6">
        <div role="status" aria-label={app.loading}>
          <Skeleton className="h-8 w-40 rounded-md" />
          <Skeleton className="mt-2 h-4 w-72 max-w-full rounded-md" />
          <Skeleton className="mt-9 h-5 w-16 rounded-md" />
          <Skeleton className="mt-2 mb-4 h-4 w-64 max-w-full rounded-md" />
          <Skeleton className="h-52 w-full rounded-xl" />
        </div>
      </main>
    </Layout>
  )
}
