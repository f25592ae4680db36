import { XeroConnections } from '@xero-service/react'

export default function IntegrationsPage() {
  return (
    <main>
      <h1>Settings</h1>
      <XeroConnections />
    </main>
  )
}
