// Adds up what a signed-in visitor downloads, compressed; Clerk's chunk is counted apart.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const LIMIT = 150_000
const ENTRY = 'index.html'
const CLERK = 'src/features/auth-clerk/clerk-auth.tsx'

const dist = new URL('../dist/', import.meta.url)

/** @typedef {{ file: string, css?: string[], imports?: string[], dynamicImports?: string[] }} Chunk */
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
  return [chunk.file, ...(chunk.css ?? []), ...further.flatMap((next) => files(next, seen))]
}

/** @param {string} file */
const compressed = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length

/** @param {number} bytes */
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`.padStart(9)

const page = [...new Set(files(ENTRY, new Set([CLERK])))]
const total = page.reduce((sum, file) => sum + compressed(file), 0)
const clerk = files(CLERK, new Set()).filter((file) => !page.includes(file))

console.log('What the signed-in page downloads, gzip:')
for (const file of page) console.log(kilobytes(compressed(file)), file)
console.log(kilobytes(total), `in all, of ${(LIMIT / 1000).toString()} kB`)
if (clerk.length > 0) {
  console.log(kilobytes(clerk.reduce((sum, file) => sum + compressed(file), 0)), "Clerk's, apart")
}

if (process.argv.includes('--check') && total > LIMIT) {
  console.error('The page has grown past its limit.')
  process.exit(1)
}
