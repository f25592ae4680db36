import { XeroConnections, type XeroToast } from '@xero-service/react'
import { useState } from 'react'

import { ORGS } from './sandbox-session'
import { useSession } from './session'
import { Xero } from './xero'

export function App() {
  const [toast, setToast] = useState<XeroToast>()
  return (
    <>
      <Header />
      <Xero onToast={setToast}>
        {window.location.pathname === '/settings/integrations' ? (
          <main>
            <h1>Settings</h1>
            <XeroConnections />
          </main>
        ) : (
          <main>
            <h1>Dashboard</h1>
            <a href="/settings/integrations">Settings</a>
          </main>
        )}
      </Xero>
      <output>{toast?.title}</output>
      <p className="hidden">A class of the host named like one of Tailwind</p>
    </>
  )
}

function Header() {
  const { orgId, switchOrg } = useSession()
  const [clicks, setClicks] = useState(0)
  return (
    <header>
      <label>
        Organisation
        <select value={orgId} onChange={(event) => switchOrg(event.target.value)}>
          {ORGS.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button onClick={() => setClicks(clicks + 1)}>Rendered {clicks}</button>
    </header>
  )
}
