import { fileURLToPath } from 'node:url'

/** @type {import('next').NextConfig} */
export default {
  outputFileTracingRoot: import.meta.dirname,
  // The types are Clerk's; at run time the sandbox stands in for Clerk, which is not reached here.
  webpack: (config) => {
    config.resolve.alias['@clerk/nextjs$'] = fileURLToPath(
      new URL('./clerk/stand-in.tsx', import.meta.url),
    )
    return config
  },
}
