import { LogOut } from 'lucide-react'

import { Button } from '@/components/button'
import { useAuth, type Org, type Person } from '@/lib/auth'

/** Who is signed in, as what, and the way out. */
export function Account({ person, org }: { person: Person; org: Org | null }) {
  const { signOut } = useAuth()
  return (
    <div className="flex items-center gap-1">
      <span className="text-right text-xs leading-tight max-md:sr-only">
        <span className="block font-medium">{person.name}</span>
        {org && (
          <span className="block text-muted-foreground">
            {org.role === 'admin' ? 'Admin' : 'Member'}
          </span>
        )}
      </span>
      <Button
        variant="quiet"
        size="icon"
        aria-label="Sign out"
        title="Sign out"
        onClick={() => void signOut()}
      >
        <LogOut aria-hidden />
      </Button>
    </div>
  )
}
