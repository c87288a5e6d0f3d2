import { PpoppoError } from '../errors.js'

/** A later version of the library created it, so this one must not touch it. */
export function newerError(id: string): PpoppoError {
  return new PpoppoError(
    'config_invalid',
    `The campaign ${id} was made by a newer version of express-ppoppo. Update this process.`,
  )
}

export function unknownCampaign(id: string): PpoppoError {
  return new PpoppoError('not_found', `There is no campaign ${id}. See campaigns.list().`)
}
