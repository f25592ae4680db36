import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { ORGS } from './sandbox-session'
import { useSession } from './session'

export function Header() {
  const { orgId, switchOrg } = useSession()
  const [clicks, setClicks] = useState(0)
  const queries = useQueryClient().getQueryCache().getAll().length
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
      <output aria-label="Queries of the host">{queries}</output>
    </header>
  )
}
