import { LogOut } from 'lucide-react'

import { Button } from '@/components/button'
import { useAuth, type Org, type User } from '@/lib/auth'

/** Shows the user's name and role, and the sign-out button. */
export function Account({ user, org }: { user: User; org: Org | null }) {
  const { signOut } = useAuth()
  return (
    <div className="flex items-center gap-1">
      <span className="text-right text-xs leading-tight max-md:sr-only">
        <span className="block font-medium">{user.name}</span>
        {org && (
          <span className="block text-muted-foreground">
            {org.role === 'admin' ? 'Admin' : 'Member'}
          </span>
        )}
      </span>
      <Button
        variant="ghost"
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
