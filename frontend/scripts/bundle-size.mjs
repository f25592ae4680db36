// Adds up what a browser is sent on a first visit: the entry, what it imports, and the sandbox's
// sign-in. Clerk's chunk is counted apart, and so is what a click loads.
import { existsSync, readFileSync, statSync } from 'node:fs'

const LIMIT = 150_000
const ENTRY = 'index.html'
const CLERK = 'src/features/auth-clerk/clerk-auth.tsx'
const SANDBOX = 'src/features/auth-sandbox/sandbox-auth.tsx'
// Named by index.html and copied as they are, so no part of the manifest.
const COPIED = ['theme.js', 'icon.svg']

const dist = new URL('../dist/', import.meta.url)

/** @typedef {{ file: string, css?: string[], assets?: string[], imports?: string[], dynamicImports?: string[] }} Chunk */
const manifest = /** @type {Record<string, Chunk>} */ (
  JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))
)

/**
 * The files that `key` brings along.
 * @param {string} key
 * @param {Set<string>} seen
 * @returns {string[]}
 */
function files(key, seen = new Set()) {
  const chunk = manifest[key]
  if (!chunk || seen.has(key)) return []
  seen.add(key)
  const own = [chunk.file, ...(chunk.css ?? []), ...(chunk.assets ?? [])]
  return [...own, ...(chunk.imports ?? []).flatMap((next) => files(next, seen))]
}

/**
 * The bytes that are sent: those of the compressed file, where there is one.
 * @param {string} file
 * @param {'br' | 'gz'} suffix
 */
function sent(file, suffix) {
  const plain = new URL(file, dist)
  const compressed = new URL(`${file}.${suffix}`, dist)
  return statSync(existsSync(compressed) ? compressed : plain).size
}

/**
 * @param {string[]} of
 * @param {'br' | 'gz'} suffix
 */
const sum = (of, suffix) => of.reduce((total, file) => total + sent(file, suffix), 0)

/** @param {number} bytes */
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`.padStart(9)

/**
 * @param {string[]} of
 * @param {string} what
 */
const report = (of, what) => console.log(kilobytes(sum(of, 'br')), kilobytes(sum(of, 'gz')), what)

const page = [...new Set([ENTRY, ...COPIED, ...files(ENTRY), ...files(SANDBOX)])]
const clerk = files(CLERK).filter((file) => !page.includes(file))
const later = [...new Set(Object.keys(manifest).flatMap((key) => files(key)))].filter(
  (file) => !page.includes(file) && !clerk.includes(file),
)

console.log('What a first visit downloads, by brotli (the service) and gzip (nginx):')
for (const file of page) report([file], file)
report(page, `in all, of ${(LIMIT / 1000).toString()} kB`)
if (later.length > 0) report(later, 'what a click loads, apart')
if (clerk.length > 0) report(clerk, "Clerk's, apart")

if (process.argv.includes('--check') && sum(page, 'gz') > LIMIT) {
  console.error('The page has grown past its limit.')
  process.exit(1)
}
