import { LogOut } from 'lucide-react'

import { Button } from '@/components/ui/button'
import { useAuth, type Org, type User } from '@/lib/auth'
import { useMessages } from '@/messages'

/** Shows the user's name and role, and the sign-out button. */
export function Account({ user, org }: { user: User; org: Org | null }) {
  const { signOut } = useAuth()
  const { app } = useMessages()
  return (
    <div className="flex items-center gap-1">
      <span className="text-right text-xs leading-tight max-md:sr-only">
        <bdi className="block font-medium">{user.name}</bdi>
        {org && <span className="block text-muted-foreground">{app.roles[org.role]}</span>}
      </span>
      <Button
        variant="ghost"
        size="icon"
        aria-label={app.signOut}
        title={app.signOut}
        onClick={() => void signOut()}
      >
        <LogOut aria-hidden />
      </Button>
    </div>
  )
}
