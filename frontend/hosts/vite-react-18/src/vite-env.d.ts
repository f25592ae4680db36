/// <reference types="vite/client" />

interface ImportMetaEnv {
  readonly VITE_XERO_SERVICE_URL: string
  readonly VITE_SESSION_ISSUER: string
}
