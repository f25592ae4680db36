import { activity } from './activity'
import { app } from './app'
import { connect } from './connect'
import { connections } from './connections'
import { integrations } from './integrations'
import { parts } from './parts'
import { problems } from './problems'
import { refresher } from './refresher'
import { signIn } from './sign-in'

/** Every text of the page and the package in English, by the folder that shows it. */
export const english = {
  activity,
  app,
  connect,
  connections,
  integrations,
  parts,
  problems,
  refresher,
  signIn,
}
