import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { XeroConnections } from '@xero-service/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createBrowserRouter, Link, RouterProvider } from 'react-router'

import { Header } from './header'
import { SignedIn } from './signed-in'
import './globals.css'

const router = createBrowserRouter([
  {
    element: (
      <>
        <Header />
        <SignedIn />
        <p className="hidden">A class of the host named like one of Tailwind</p>
      </>
    ),
    children: [
      {
        path: '/',
        element: (
          <main>
            <h1>Dashboard</h1>
            <Link to="/settings/integrations">Settings</Link>
          </main>
        ),
      },
      {
        path: '/settings/integrations',
        element: (
          <main>
            <h1>Settings</h1>
            <XeroConnections />
          </main>
        ),
      },
    ],
  },
])

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    {/* A query client of the host's own, which the package must leave alone. */}
    <QueryClientProvider client={new QueryClient()}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
)
