import Link from 'next/link'

export default function Dashboard() {
  return (
    <main>
      <h1>Dashboard</h1>
      <Link href="/settings/integrations">Settings</Link>
      <p className="hidden">A class of the host named like one of Tailwind</p>
    </main>
  )
}
