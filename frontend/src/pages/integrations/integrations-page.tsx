import { useXeroService } from '@/api/xero-service'

import { XeroConnections } from './xero-connections'

/** The settings page of an organisation's connections. */
export function IntegrationsPage() {
  const { orgName } = useXeroService()
  return (
    <main className="mx-auto w-full max-w-4xl px-4 pt-10 pb-20 sm:px-6">
      <h1 className="text-2xl font-semibold tracking-tight">Integrations</h1>
      <p className="mt-1.5 text-sm text-pretty text-muted-foreground">
        What {orgName} is connected to, and how those connections are doing.
      </p>
      <XeroConnections />
    </main>
  )
}
