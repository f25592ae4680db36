// Seals and opens with Node's own cryptography: one JSON order in, one answer out.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'

function seal({ key, text, context, ivBytes }) {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', readKey(key), iv)
  if (context) cipher.setAAD(Buffer.from(context, 'utf8'))
  const encrypted = cipher.update(text, 'utf8', 'hex') + cipher.final('hex')
  return `${iv.toString('hex')}:${cipher.getAuthTag().toString('hex')}:${encrypted}`
}

function open({ key, sealed, context }) {
  const [iv, tag, encrypted] = sealed.split(':')
  const decipher = createDecipheriv('aes-256-gcm', readKey(key), Buffer.from(iv, 'hex'))
  decipher.setAuthTag(Buffer.from(tag, 'hex'))
  if (context) decipher.setAAD(Buffer.from(context, 'utf8'))
  return decipher.update(encrypted, 'hex', 'utf8') + decipher.final('utf8')
}

function readKey(text) {
  return text.length === 64 ? Buffer.from(text, 'hex') : Buffer.from(text, 'utf8')
}

const order = JSON.parse(readFileSync(0, 'utf8'))
const work = { seal, open }[order.work]
process.stdout.write(JSON.stringify(work(order)))
