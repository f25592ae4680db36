import { ClerkProvider, OrganizationSwitcher } from '@clerk/nextjs'
import type { ReactNode } from 'react'
import { Toaster } from 'sonner'

import { Xero } from './xero'

import '@xero-service/react/styles.css'
import './host.css'

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <ClerkProvider>
          <OrganizationSwitcher />
          <Xero>{children}</Xero>
          <Toaster />
        </ClerkProvider>
      </body>
    </html>
  )
}
