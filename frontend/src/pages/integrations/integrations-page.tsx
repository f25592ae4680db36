import { useXeroService } from '@/api/xero-service'
import { Message, useMessages } from '@/messages'

import { XeroConnections } from './xero-connections'

/** The settings page of an organisation's connections. */
export function IntegrationsPage() {
  const { orgName } = useXeroService()
  const { integrations } = useMessages()
  return (
    <main className="mx-auto w-full max-w-4xl px-4 pt-10 pb-20 sm:px-6">
      <h1 className="text-2xl font-semibold tracking-tight">{integrations.title}</h1>
      <p className="mt-1.5 text-sm text-pretty text-muted-foreground">
        <Message text={integrations.description} values={{ org: <bdi>{orgName}</bdi> }} />
      </p>
      <XeroConnections />
    </main>
  )
}
