import { expect, it } from 'vitest'

const sources = import.meta.glob<string>(['../../hosts/**/*.tsx', '../../package/README.md'], {
  query: '?raw',
  import: 'default',
  eager: true,
})

const readme = sources['../../package/README.md'] ?? ''

/** Every code block that a comment names as a file of a host application. */
const blocks = [...readme.matchAll(/<!-- (?<file>\S+) -->\s+```tsx\n(?<code>.*?)\n *```/gs)].map(
  ({ groups }) => ({ file: groups?.['file'] ?? '', code: groups?.['code'] ?? '' }),
)

it('shows a file for each kind of host', () => {
  expect(blocks.map(({ file }) => file.split('/')[0])).toEqual(
    expect.arrayContaining(['nextjs', 'react-router', 'vite-react-18']),
  )
})

it.each(blocks)('shows $file as make packages-check builds it', ({ file, code }) => {
  const indentation = /^ */.exec(code)?.[0] ?? ''
  const shown = code.replaceAll(`\n${indentation}`, '\n').trim()

  expect(shown).toBe(sources[`../../hosts/${file}`]?.trim())
})
