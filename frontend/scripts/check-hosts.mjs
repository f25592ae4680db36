// A5: installs the tarball into each host application, builds it for production and runs the browser
// tests against it: `python -m demo.around --other-frontend node frontend/scripts/check-hosts.mjs`
import { execFileSync, spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { copyHost, selectedHosts } from './hosts.mjs'

const frontend = fileURLToPath(new URL('..', import.meta.url))
const address = process.env['XERO_FRONTEND_URL'] ?? ''
const { port } = new URL(address)
const issuer = `${process.env['XERO_SANDBOX_URL'] ?? ''}/session`
const service = process.env['XERO_SERVICE_URL'] ?? ''
const environment = {
  ...process.env,
  VITE_XERO_SERVICE_URL: service,
  VITE_SESSION_ISSUER: issuer,
  NEXT_PUBLIC_XERO_SERVICE_URL: service,
  NEXT_PUBLIC_SESSION_ISSUER: issuer,
  NEXT_TELEMETRY_DISABLED: '1',
}

/**
 * @param {string} cwd
 * @param {string} command
 * @param {string[]} options
 */
function run(cwd, command, ...options) {
  execFileSync(command, options, { cwd, env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
}

/** @param {string} folder */
function copiesOfReact(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(^|node_modules\/)react\/package\.json$/.test(path),
  )
}

/** @param {string} folder */
async function serve(folder) {
  const server = spawn('npm', ['start', '--silent', '--', '--port', port], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  })
  const { pid } = server
  if (pid === undefined) throw new Error(`The server of ${folder} did not start`)
  const deadline = Date.now() + 120_000
  while (
    !(await fetch(address).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (server.exitCode !== null || Date.now() > deadline) {
      throw new Error(`The server of ${folder} did not answer at ${address}`)
    }
    await setTimeout(200)
  }
  return async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve))
    process.kill(-pid) // npm and the server that it started
    await ended
  }
}

for (const host of selectedHosts()) {
  console.log(`${host}: installing and building`)
  const folder = copyHost(host)
  run(folder, 'npm', 'ci', '--no-audit', '--no-fund', '--loglevel', 'error')
  const copies = copiesOfReact(join(folder, 'node_modules'))
  if (copies.length !== 1) throw new Error(`${host} has more than one React: ${copies.join(', ')}`)
  run(folder, 'npm', 'run', '--silent', 'build')
  const stop = await serve(folder)
  try {
    execFileSync(join(frontend, 'node_modules/.bin/playwright'), ['test'], {
      cwd: frontend,
      env: { ...environment, HOST: host },
      stdio: 'inherit',
    })
  } finally {
    await stop()
  }
}
