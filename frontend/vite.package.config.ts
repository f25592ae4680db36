import { fileURLToPath } from 'node:url'

import tailwindcss from '@tailwindcss/vite'
import { defineConfig } from 'vite'

import { hostStyles } from './scripts/host-styles.mjs'

/** Builds `@xero-service/react` from the page's source; scripts/package.mjs adds the types. */
export default defineConfig({
  plugins: [tailwindcss(), hostStyles()],
  publicDir: false,
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    outDir: '../.demo/react-package',
    emptyOutDir: true,
    target: 'es2022',
    minify: false,
    cssMinify: false,
    lib: {
      entry: 'src/package/index.ts',
      formats: ['es'],
      fileName: 'index',
      cssFileName: 'styles',
    },
    rolldownOptions: {
      // Everything that is installed is the host's to resolve: one React, one sonner, one Radix.
      external: /^(?![./]|@\/)/,
      output: { banner: "'use client'" },
    },
  },
})
