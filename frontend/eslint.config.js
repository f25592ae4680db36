import js from '@eslint/js'
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript'
import importX from 'eslint-plugin-import-x'
import reactHooks from 'eslint-plugin-react-hooks'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

const features = [
  'activity',
  'auth-clerk',
  'auth-sandbox',
  'connect',
  'connections',
  'xero-token-refresher',
]

// app → pages → features → api, components → messages → lib: imports go down this line, never up, and
// features do not see each other.
const above = ['./src/app', './src/pages', './src/features', './src/api', './src/components']
const zones = [
  { target: './src/lib', from: [...above, './src/messages'] },
  { target: './src/messages', from: above },
  { target: './src/api', from: ['./src/app', './src/pages', './src/features', './src/components'] },
  { target: './src/components', from: ['./src/app', './src/pages', './src/features', './src/api'] },
  { target: './src/features', from: ['./src/app', './src/pages'] },
  { target: './src/pages', from: ['./src/app'] },
  { target: './src/{app,pages,features,api,components,messages,lib}', from: './src/package' },
  ...features.map((feature) => ({
    target: `./src/features/${feature}`,
    from: './src/features',
    except: [`./${feature}`],
  })),
]

// Code that other applications install runs on React 18.2 and on Next's React, and inside a host
// that has a query client, a router and toasts of its own, or none.
const hostImports = [
  {
    name: 'react',
    importNames: ['use', 'useActionState', 'useEffectEvent', 'useOptimistic', 'Activity'],
    message: 'React 18.2 lacks it.',
  },
  {
    name: '@tanstack/react-query',
    importNames: ['QueryClientProvider', 'useQueryClient', 'useIsFetching', 'useIsMutating'],
    message: "Name the query client of useXeroService(): the implicit one is the host's.",
  },
  { name: 'sonner', importNames: ['toast'], message: 'Use showToast of useXeroService().' },
]

export default defineConfig(
  {
    ignores: [
      'dist',
      'hosts',
      'playwright-report',
      'test-results',
      'src/api/schema.d.ts',
      'public',
    ],
  },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  reactHooks.configs.flat['recommended-latest'],
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [createTypeScriptImportResolver({ project: 'tsconfig.app.json' })],
    },
    rules: {
      'no-console': 'error',
      'import-x/no-cycle': 'error',
      'import-x/no-relative-packages': 'error',
      'import-x/order': [
        'error',
        {
          groups: ['builtin', 'external', 'internal', ['parent', 'sibling']],
          'newlines-between': 'always',
          pathGroups: [{ pattern: '@/**', group: 'internal' }],
        },
      ],
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    ignores: ['src/testing/**', '**/*.test.{ts,tsx}'],
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['@/testing/*'], message: 'Only tests import from testing.' }] },
      ],
    },
  },
  {
    files: ['src/{api,components,features,lib,pages}/**/*.{ts,tsx}'],
    ignores: ['src/lib/toasts.tsx', '**/*.test.{ts,tsx}'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: hostImports,
          patterns: [{ group: ['@/testing/*'], message: 'Only tests import from testing.' }],
        },
      ],
    },
  },
  {
    files: ['scripts/**'],
    languageOptions: { globals: { console: 'readonly', fetch: 'readonly', process: 'readonly' } },
    rules: { 'no-console': 'off', '@typescript-eslint/no-unsafe-assignment': 'off' },
  },
)
