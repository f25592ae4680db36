// Makes the page's style sheet one that a host application can load beside its own:
//
// - Every rule applies inside of `[data-xero-service]` only, which the package's outermost element
//   and each of its overlays carry. What is for `:root` is for these elements; what is for `html`
//   or `body` is left to the host.
// - Cascade layers become specificity, because a host's unlayered `button { … }` would win against
//   every layered rule. A base rule has that of one class, a utility that of two.
// - A colour of the theme is the host's `--primary`, or else ours, `--xero-primary`. Ours are dark
//   under `[data-theme=dark]`, as on the page, under `.dark`, as shadcn/ui has it, and where the
//   host's page is dark: the lightness of its `--background` decides, or else its `color-scheme`.
// - Keyframes and Tailwind's own variables, which `@property` registers for the whole document, get
//   names of their own.
import { Buffer } from 'node:buffer'

import { Features, transform } from 'lightningcss'
import postcss from 'postcss'

/** @import { AtRule, Rule } from 'postcss' */

const ROOT = '[data-xero-service]'
/** The roots and all elements in them; counts as one class. */
const WITHIN = `:is(${ROOT}, ${ROOT} *)`
const DARK_ATTRIBUTE = /\[data-theme=["']?dark["']?\]/g
const DARK = ':is([data-theme="dark"], .dark)'
/** The host's page: its theme's colour, or what its `color-scheme` makes of an unstyled page. */
const PAGE = 'var(--background, Canvas)'
/** From the lightness of a page: 1 if white text has more contrast on it than black, 0 if not. */
const IS_DARK = 'clamp(0, (0.57 - l) * 1000, 1)'
/** White, or on a light red, as dark themes of shadcn/ui have it without a colour for its text, black. */
const ON_DESTRUCTIVE =
  'oklch(from var(--destructive, var(--xero-destructive)) clamp(0.21, (0.62 - l) * 1000, 1) 0 0)'
const OKLCH = /^oklch\((?<l>\S+)% (?<c>\S+) (?<h>\S+)\)$/

/**
 * The selector inside of the scope; null for a rule of the host's page.
 * @param {string} selector
 * @param {boolean} isBase
 */
function scoped(selector, isBase) {
  if (/^(html|body)\b/.test(selector)) return null
  if (/^:(root|host)\b/.test(selector)) return ROOT
  const dark = selector.replace(DARK_ATTRIBUTE, DARK)
  if (dark === DARK) return `${DARK} ${ROOT}`
  const pseudo = /:?:(before|after)$|::(?!.*::).*$/.exec(dark)?.[0] ?? ''
  const elements = dark.slice(0, dark.length - pseudo.length).replace(/^\*$/, '')
  return `${isBase && elements ? `:where(${elements})` : elements}${WITHIN}${pseudo}`
}

/** @param {Rule} rule */
function isInKeyframes({ parent }) {
  return parent?.type === 'atrule' && /** @type {AtRule} */ (parent).name.endsWith('keyframes')
}

/** @param {Rule} rule */
function isUtility(rule) {
  for (let around = rule.parent; around?.type === 'atrule'; around = around.parent) {
    const { name, params } = /** @type {AtRule} */ (around)
    if (name === 'layer') return params === 'utilities'
  }
  return false
}

/** @param {string} css */
export function scopeToHost(css) {
  const flat = transform({
    filename: 'styles.css',
    code: Buffer.from(css.replaceAll('--tw-', ours('--tw-'))),
    include: Features.Nesting,
  })
  const sheet = postcss.parse(flat.code.toString())
  renameGlobals(sheet)
  followPage(sheet)
  sheet.walkRules((rule) => {
    if (isInKeyframes(rule)) return
    const isBase = !isUtility(rule)
    const selectors = rule.selectors.map((each) => scoped(each, isBase))
    rule.selectors = [...new Set(selectors.filter((each) => each !== null))]
    if (rule.selectors.join('') === '') rule.remove()
  })
  sheet.walkAtRules('layer', (layer) => {
    layer.replaceWith(...(layer.nodes ?? []))
  })
  return transform({
    filename: 'styles.css',
    code: Buffer.from(sheet.toString()),
    minify: true,
  }).code.toString()
}

/**
 * Names the theme's variables and the keyframes as ours, and reads the host's variables first.
 * @param {postcss.Root} sheet
 */
function renameGlobals(sheet) {
  /** @type {Set<string>} */
  const variables = new Set()
  sheet.walkDecls('--background', ({ parent: theme }) => {
    theme?.each((node) => {
      if (node.type !== 'decl' || !node.prop.startsWith('--')) return
      variables.add(node.prop)
      node.prop = ours(node.prop)
    })
  })
  /** @type {Set<string>} */
  const keyframes = new Set()
  sheet.walkAtRules('keyframes', (rule) => {
    keyframes.add(rule.params)
    rule.params = `xero-${rule.params}`
  })
  sheet.walkDecls((declaration) => {
    declaration.value = declaration.value.replace(
      /var\((--[\w-]+)\)/g,
      (/** @type {string} */ use, /** @type {string} */ name) =>
        variables.has(name) ? `var(${name}, var(${ours(name)}))` : use,
    )
    if (/^(animation|animation-name|--animate-.*)$/.test(declaration.prop)) {
      declaration.value = declaration.value.replace(/^[\w-]+/, (name) =>
        keyframes.has(name) ? `xero-${name}` : name,
      )
    }
  })
}

/**
 * Leaves the colour scheme to the host, and adds the theme that the colour of the host's page decides.
 * A browser without relative colours has the theme that the attribute or the class names.
 * @param {postcss.Root} sheet
 */
function followPage(sheet) {
  const light = themeOf(sheet, (selector) => selector.startsWith(':root'))
  const dark = themeOf(sheet, (selector) => DARK_ATTRIBUTE.test(selector))
  light.walkDecls('color-scheme', (declaration) => {
    declaration.remove()
  })
  // This variable has its value within `oklch(from …)`, where `l` is the lightness of the page.
  const theme = [`--xero-is-dark: ${IS_DARK}`]
  dark.walkDecls(/^--/, ({ prop, value }) => {
    light.walkDecls(prop, (declaration) => {
      theme.push(`${prop}: ${lightOrDark(declaration.value, value)}`)
    })
  })
  theme.push(`${ours('--destructive-foreground')}: ${ON_DESTRUCTIVE}`)
  light.after(`@supports (color: oklch(from white l c h)) { :root { ${theme.join('; ')} } }`)
}

/**
 * The rule that sets the theme's variables.
 * @param {postcss.Root} sheet
 * @param {(selector: string) => boolean} isTheme
 */
function themeOf(sheet, isTheme) {
  /** @type {Rule[]} */
  const found = []
  sheet.walkDecls(ours('--background'), ({ parent }) => {
    if (parent?.type === 'rule' && isTheme(/** @type {Rule} */ (parent).selector)) {
      found.push(/** @type {Rule} */ (parent))
    }
  })
  const [theme] = found
  if (!theme || found.length > 1) throw new Error('The theme is not one rule for each scheme')
  return theme
}

/**
 * A colour that is `light` on a light page and `dark` on a dark one.
 * @param {string} light
 * @param {string} dark
 */
function lightOrDark(light, dark) {
  if (light === dark) return light
  const channels = ['l', 'c', 'h'].map((name) => {
    const [from, to] = [light, dark].map((color) => Number(OKLCH.exec(color)?.groups?.[name]))
    if (!Number.isFinite(from) || !Number.isFinite(to))
      throw new Error(`No oklch: ${light} ${dark}`)
    const unit = name === 'l' ? '%' : ''
    return `calc(${from}${unit} + (${to}${unit} - ${from}${unit}) * var(--xero-is-dark))`
  })
  return `oklch(from ${PAGE} ${channels.join(' ')})`
}

/** @param {string} variable */
function ours(variable) {
  return variable.replace('--', '--xero-')
}

/**
 * The Vite plugin: changes the style sheet that a build writes.
 * @returns {import('vite').Plugin}
 */
export function hostStyles() {
  return {
    name: 'host-styles',
    enforce: 'post',
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === 'asset' && file.fileName.endsWith('.css')) {
          file.source = scopeToHost(String(file.source))
        }
      }
    },
  }
}
