import { GuerdonError } from '../../core/index.ts'

/** What a game throws when it is given an action that is not legal. */
export function illegalAction(game: string, action: string): GuerdonError {
  return new GuerdonError('illegal-action', `${game}: "${action}" is no legal action here.`, {
    fix: 'Choose one of `actions(state)`.',
  })
}
