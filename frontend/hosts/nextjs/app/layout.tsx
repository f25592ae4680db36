import { ClerkProvider, OrganizationSwitcher } from '@clerk/nextjs'
import type { ReactNode } from 'react'
import { Toaster } from 'sonner'

import { Xero } from './xero'

import '@xero-service/react/styles.css'
import './globals.css'

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <ClerkProvider>
          <OrganizationSwitcher />
          <Xero>{children}</Xero>
          <Toaster theme="system" />
        </ClerkProvider>
      </body>
    </html>
  )
}
