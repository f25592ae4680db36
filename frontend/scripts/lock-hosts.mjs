// Writes the lock files of the host applications, after a change of what they or the package need.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { copyHost, selectedHosts, sourceOf } from './hosts.mjs'

const PACKAGE = 'node_modules/@xero-service/react'
const complete = fileURLToPath(new URL('complete-lock.mjs', import.meta.url))

/** @typedef {{ packages: Record<string, { integrity?: string }> }} Lock */

/**
 * @param {string} lock
 * @param {(content: Lock) => void} change
 */
function edit(lock, change) {
  const content = /** @type {Lock} */ (JSON.parse(readFileSync(lock, 'utf8')))
  change(content)
  writeFileSync(lock, `${JSON.stringify(content, null, 2)}\n`)
}

for (const host of selectedHosts()) {
  const copy = copyHost(host)
  const lock = join(copy, 'package-lock.json')
  // Without its entry, npm reads from the tarball what the package needs now.
  if (existsSync(lock)) edit(lock, ({ packages }) => Reflect.deleteProperty(packages, PACKAGE))
  execFileSync('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund', '--silent'], {
    cwd: copy,
    stdio: 'inherit',
  })
  execFileSync('node', [complete, lock], { stdio: 'inherit' })
  // The tarball is built anew each time, so its hash is not one to hold it to.
  edit(lock, ({ packages }) => delete packages[PACKAGE]?.integrity)
  copyFileSync(lock, join(sourceOf(host), 'package-lock.json'))
}
