// Writes the tarball of `@xero-service/react`: node scripts/package.mjs DIRECTORY
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const frontend = fileURLToPath(new URL('..', import.meta.url))
const state = join(frontend, '../.demo')
const stage = join(state, 'react-package')
const declarations = join(state, 'react-types')
const PEERS = ['react', 'react-dom']

/** @typedef {{ dependencies: Record<string, string> }} Manifest */

/**
 * @param {string} tool
 * @param {string[]} options
 */
function run(tool, ...options) {
  execFileSync(join(frontend, 'node_modules/.bin', tool), options, { cwd: frontend, stdio: 'pipe' })
}

/**
 * Copies the declarations that `module` needs, each once. The alias `@/` becomes a relative path.
 * @param {string} module
 * @param {Set<string>} copied
 */
function copyTypes(module, copied) {
  if (copied.has(module)) return
  copied.add(module)
  const folder = dirname(module)
  const text = readDeclarations(module)
    .replace(/^import ['"][^'"]+\.css['"];\n/gm, '')
    .replace(
      /(from |import\()(['"])(@\/|\.{1,2}\/|\.)([^'"]*)\2/g,
      (
        /** @type {string} */ _,
        /** @type {string} */ before,
        /** @type {string} */ quote,
        /** @type {string} */ base,
        /** @type {string} */ rest,
      ) => {
        const found = existing(base === '@/' ? rest : join(folder, base + rest))
        copyTypes(found, copied)
        const path = relative(folder, found)
        return `${before}${quote}${path.startsWith('.') ? '' : './'}${path}.js${quote}`
      },
    )
  const target = join(stage, 'types', `${module}.d.ts`)
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, text)
}

/** @param {string} module */
function readDeclarations(module) {
  try {
    return readFileSync(join(declarations, `${module}.d.ts`), 'utf8')
  } catch {
    return readFileSync(join(frontend, 'src', `${module}.d.ts`), 'utf8') // written by hand or generated
  }
}

/** @param {string} module */
function existing(module) {
  try {
    readDeclarations(module)
    return module
  } catch {
    return join(module, 'index')
  }
}

/** The versions of what the built modules import, as the page has them. */
function dependencies() {
  /** @type {Manifest} */
  const page = JSON.parse(readFileSync(join(frontend, 'package.json'), 'utf8'))
  const built = readdirSync(stage)
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFileSync(join(stage, file), 'utf8'))
    .join('\n')
  const imported = [...built.matchAll(/from "((?:@[\w-]+\/)?[\w-]+)[^"]*"/g)].map(
    ([, name = '']) => name,
  )
  return Object.fromEntries(
    [...new Set(imported)]
      .filter((name) => !PEERS.includes(name))
      .sort()
      .map((name) => {
        const version = page.dependencies[name]
        if (version === undefined) throw new Error(`${name} is no dependency of the page`)
        return [name, version]
      }),
  )
}

const into = resolve(process.argv[2] ?? '.')
for (const folder of [stage, declarations]) rmSync(folder, { recursive: true, force: true })
mkdirSync(into, { recursive: true })
run('vite', 'build', '--config', 'vite.package.config.ts', '--logLevel', 'warn')
run('tsc', '--project', 'tsconfig.package.json', '--outDir', declarations)
copyTypes('package/index', new Set())
const manifest = /** @type {Manifest} */ (
  JSON.parse(readFileSync(join(frontend, 'package/package.json'), 'utf8'))
)
manifest.dependencies = dependencies()
writeFileSync(join(stage, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
cpSync(join(frontend, 'package/README.md'), join(stage, 'README.md'))
cpSync(join(frontend, '../LICENSE'), join(stage, 'LICENSE'))
const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', into], {
  cwd: stage,
  encoding: 'utf8',
})
console.log(packed.trim())
