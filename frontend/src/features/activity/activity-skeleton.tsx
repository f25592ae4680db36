import { Card } from '@/components/ui/card'
import { Skeleton } from '@/components/ui/skeleton'
import { useMessages } from '@/messages'

/** The placeholder of a few entries. */
export function ActivitySkeleton() {
  const { activity } = useMessages()
  return (
    <Card>
      <div role="status" aria-label={activity.loading} className="divide-y divide-border">
        {[1, 2, 3].map((row) => (
          <div key={row} className="flex items-center gap-3 px-4 py-3 sm:px-5">
            <Skeleton className="size-4 shrink-0 rounded-full" />
            <Skeleton className="h-5 w-72 max-w-full rounded-md" />
            <Skeleton className="ml-auto h-5 w-20 shrink-0 rounded-md max-sm:hidden" />
          </div>
        ))}
      </div>
    </Card>
  )
}
