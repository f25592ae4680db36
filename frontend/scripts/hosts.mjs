/** The host applications of `frontend/hosts`, copied to where they are installed and built. */
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const sources = fileURLToPath(new URL('../hosts', import.meta.url))
const copies = fileURLToPath(new URL('../../.demo/hosts', import.meta.url))
export const tarball = fileURLToPath(
  new URL('../../dist/xero-service-react-0.1.0.tgz', import.meta.url),
)

/** Each host, and the folder of its source. */
export const HOSTS = { 'vite-react-18': 'src', 'react-router': 'src', nextjs: 'app' }

/** The hosts named on the command line, or all. */
export function selectedHosts() {
  const all = /** @type {(keyof typeof HOSTS)[]} */ (Object.keys(HOSTS))
  const named = process.argv.slice(2)
  return all.filter((host) => named.length === 0 || named.includes(host))
}

/** @param {string} host */
export const sourceOf = (host) => join(sources, host)

/**
 * Copies a host and the tarball to a fresh folder, and returns its path. What stands in for the
 * host's own parts comes from `hosts/shared`.
 * @param {keyof typeof HOSTS} host
 */
export function copyHost(host) {
  const copy = join(copies, host)
  mkdirSync(copies, { recursive: true })
  rmSync(copy, { recursive: true, force: true })
  cpSync(sourceOf(host), copy, { recursive: true })
  cpSync(tarball, join(copy, basename(tarball).replace(/-\d.*/, '.tgz')))
  cpSync(join(sources, 'shared/globals.css'), join(copy, HOSTS[host], 'globals.css'))
  const session = existsSync(join(copy, 'clerk')) ? 'clerk' : HOSTS[host]
  cpSync(join(sources, 'shared/sandbox-session.ts'), join(copy, session, 'sandbox-session.ts'))
  return copy
}
