// Adds up what a browser is sent on a first visit; Clerk's chunk is counted apart.
import { existsSync, readFileSync, statSync } from 'node:fs'

const LIMIT = 150_000
const ENTRY = 'index.html'
const CLERK = 'src/features/auth-clerk/clerk-auth.tsx'
// Named by index.html and copied as they are, so no part of the manifest.
const COPIED = ['theme.js', 'icon.svg']

const dist = new URL('../dist/', import.meta.url)

/** @typedef {{ file: string, css?: string[], assets?: string[], imports?: string[], dynamicImports?: string[] }} Chunk */
const manifest = /** @type {Record<string, Chunk>} */ (
  JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))
)

/**
 * The files that `key` brings along, its lazy parts included.
 * @param {string} key
 * @param {Set<string>} seen
 * @returns {string[]}
 */
function files(key, seen) {
  const chunk = manifest[key]
  if (!chunk || seen.has(key)) return []
  seen.add(key)
  const further = [...(chunk.imports ?? []), ...(chunk.dynamicImports ?? [])]
  const own = [chunk.file, ...(chunk.css ?? []), ...(chunk.assets ?? [])]
  return [...own, ...further.flatMap((next) => files(next, seen))]
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

const page = [...new Set([ENTRY, ...COPIED, ...files(ENTRY, new Set([CLERK]))])]
const clerk = files(CLERK, new Set()).filter((file) => !page.includes(file))

console.log('What a first visit downloads, by brotli (the service) and gzip (nginx):')
for (const file of page) console.log(kilobytes(sent(file, 'br')), kilobytes(sent(file, 'gz')), file)
console.log(
  kilobytes(sum(page, 'br')),
  kilobytes(sum(page, 'gz')),
  `in all, of ${(LIMIT / 1000).toString()} kB`,
)
if (clerk.length > 0) {
  console.log(kilobytes(sum(clerk, 'br')), kilobytes(sum(clerk, 'gz')), "Clerk's, apart")
}

if (process.argv.includes('--check') && sum(page, 'gz') > LIMIT) {
  console.error('The page has grown past its limit.')
  process.exit(1)
}
