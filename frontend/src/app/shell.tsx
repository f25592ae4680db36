import type { ComponentType } from 'react'

import { Button } from '@/components/button'
import { Centered } from '@/components/centered'
import { Notice } from '@/components/notice'
import { IntegrationsPage } from '@/pages/integrations/integrations-page'
import { useAuth } from '@/lib/auth'

import { Account } from './account'
import { ChooseOrg } from './choose-org'
import { Frame, LoadingPage } from './frame'
import { OrgScope } from './org-scope'
import { OrgSwitcher } from './org-switcher'

/** What is shown to whom: the page to those who are signed in, the way in to all others. */
export function Shell({ SignInScreen }: { SignInScreen: ComponentType }) {
  const { session } = useAuth()
  switch (session.status) {
    case 'loading':
      return <LoadingPage />
    case 'unreachable':
      return <Unreachable />
    case 'signed-out':
      return (
        <Frame>
          <SignInScreen />
        </Frame>
      )
    case 'signed-in':
      return (
        <Frame
          controls={
            <>
              <OrgSwitcher org={session.org} />
              <Account person={session.person} org={session.org} />
            </>
          }
        >
          {session.org ? (
            <OrgScope key={session.person.id} org={session.org}>
              <IntegrationsPage key={session.org.id} org={session.org} />
            </OrgScope>
          ) : (
            <ChooseOrg />
          )}
        </Frame>
      )
  }
}

function Unreachable() {
  return (
    <Frame>
      <Centered title="Sign-in cannot be reached">
        <Notice
          role="alert"
          tone="danger"
          title="We could not find out whether you are signed in"
          actions={
            <Button size="sm" onClick={() => window.location.reload()}>
              Try again
            </Button>
          }
        >
          Check your connection and try again.
        </Notice>
      </Centered>
    </Frame>
  )
}
