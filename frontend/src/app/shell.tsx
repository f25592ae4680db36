import type { ComponentType } from 'react'

import { Button } from '@/components/ui/button'
import { Centered } from '@/components/centered'
import { Notice } from '@/components/notice'
import { IntegrationsPage } from '@/pages/integrations/integrations-page'
import { useAuth } from '@/lib/auth'
import { useMessages } from '@/messages'

import { Account } from './account'
import { ChooseOrg } from './choose-org'
import { Layout, LoadingPage } from './layout'
import { OrgProviders } from './org-providers'
import { OrgSwitcher } from './org-switcher'

/** Shows the settings page to signed-in users and the sign-in screen to everybody else. */
export function Shell({ SignInScreen }: { SignInScreen: ComponentType }) {
  const { session } = useAuth()
  switch (session.status) {
    case 'loading':
      return <LoadingPage />
    case 'unreachable':
      return <Unreachable />
    case 'signed-out':
      return (
        <Layout>
          <SignInScreen />
        </Layout>
      )
    case 'signed-in':
      return (
        <Layout
          controls={
            <>
              <OrgSwitcher org={session.org} />
              <Account user={session.user} org={session.org} />
            </>
          }
        >
          {session.org ? (
            <OrgProviders org={session.org} user={session.user}>
              <IntegrationsPage />
            </OrgProviders>
          ) : (
            <ChooseOrg />
          )}
        </Layout>
      )
  }
}

function Unreachable() {
  const { app, parts } = useMessages()
  return (
    <Layout>
      <Centered title={app.unreachable}>
        <Notice
          role="alert"
          variant="destructive"
          title={app.unreachableReason}
          actions={
            <Button variant="outline" size="sm" onClick={() => window.location.reload()}>
              {parts.tryAgain}
            </Button>
          }
        >
          {app.unreachableHint}
        </Notice>
      </Centered>
    </Layout>
  )
}
