// Adds to package-lock.json the optional packages of other platforms that npm left out.
//
// npm leaves an optional package out of the lock when the registry at hand does not carry it, and
// `npm ci` then refuses the lock on every platform. Their exact versions stand in the packages
// that ask for them, their platform in their names, and their hash in what is known about them.
// Run after each `npm install`: node scripts/complete-lock.mjs [LOCK FILE]
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const LOCK = process.argv[2] ?? new URL('../package-lock.json', import.meta.url)
const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]
const PROCESSORS = [
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
]

/** @typedef {{ version?: string, integrity?: string, link?: boolean, resolved?: string, optionalDependencies?: Record<string, string>, dev?: boolean, optional?: boolean, os?: string[], cpu?: string[] }} Entry */
/** @type {{ packages: { '': Entry } & Record<string, Entry> }} */
const lock = JSON.parse(readFileSync(LOCK, 'utf8'))

/** @param {string} name */
const present = (name) =>
  Object.keys(lock.packages).some((path) => path.endsWith(`node_modules/${name}`))

for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (present(name) || !/^\d/.test(version)) continue
    const parts = name.split(/[-/]/)
    const os = SYSTEMS.filter((system) => parts.includes(system))
    const cpu = PROCESSORS.filter((processor) => parts.includes(processor))
    if (os.length === 0 && cpu.length === 0) continue
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(cpu.length > 0 && { cpu }),
      ...(entry.dev && { dev: true }),
      optional: true,
      ...(os.length > 0 && { os }),
    }
  }
}
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '' || entry.link || entry.resolved || entry.integrity) continue
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const question = ['view', `${name}@${entry.version ?? ''}`, 'dist.integrity']
  try {
    entry.integrity = execFileSync('npm', question, { encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    console.warn(`No hash for ${name}: the registry at hand does not carry it.`)
  }
}
const { '': root, ...packages } = lock.packages
const sorted = Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1))
lock.packages = { '': root, ...Object.fromEntries(sorted) }
writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`)
