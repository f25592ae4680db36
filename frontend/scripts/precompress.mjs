// Writes beside each file of the build what is sent in its place: `.br` and `.gz`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const COMPRESSIBLE = /\.(css|html|js|json|svg|txt|webmanifest)$/
const dist = new URL('../dist/', import.meta.url)

/** @param {Buffer} plain */
const brotli = (plain) =>
  brotliCompressSync(plain, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  })

for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !COMPRESSIBLE.test(entry.name)) continue
  if (entry.parentPath.endsWith('.vite')) continue // no browser asks for it
  const path = `${entry.parentPath}/${entry.name}`
  const plain = readFileSync(path)
  const encoded = {
    br: brotli(plain),
    gz: gzipSync(plain, { level: constants.Z_BEST_COMPRESSION }),
  }
  for (const [suffix, bytes] of Object.entries(encoded)) {
    if (bytes.length < plain.length) writeFileSync(`${path}.${suffix}`, bytes)
  }
}
