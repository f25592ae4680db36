import { connect } from './connect'
import { parts } from './parts'

/** Every text of the page and the package in English, by the folder that shows it. */
export const english = {
  connect,
  parts,
}
