import { parseArgs } from 'node:util'
import { Rng } from '../src/core/index.ts'
import { control } from '../src/worlds/index.ts'

// Steps a second of games under a random policy, on one thread: choosing among the legal actions and reading the
// symbols (as a trained policy must), and with the text and the picture too. Resets are counted in.

const { values } = parseArgs({ options: { seconds: { type: 'string' }, json: { type: 'boolean' } } })
const seconds = Number(values.seconds ?? 1)

const games = [
  control.numberLine(),
  control.numberRoutes(),
  control.blackjack(),
  control.ezPoints(),
  control.points24(),
  control.oneRoom(),
  control.household(),
] as readonly control.Game[]

const rows = games.map((game) => {
  const rate = (look: (episode: control.Episode) => void) => {
    const rng = new Rng('bench')
    let [steps, index] = [0, 0]
    const end = performance.now() + seconds * 1000
    const begin = performance.now()
    while (performance.now() < end) {
      // Groups of 16 episodes of one task, as policy gradients play them.
      const task = game.task('train', index++ % game.splits[0]!.tasks)
      for (let play = 0; play < 16; play++) {
        const episode = new control.Episode(game, task, { seed: play })
        while (!episode.isOver) {
          look(episode)
          episode.step(rng.pick(episode.actions()))
          steps++
        }
      }
    }
    return Math.round((steps / (performance.now() - begin)) * 1000)
  }
  rate((episode) => episode.symbols())
  return {
    game: game.name,
    symbols: rate((episode) => episode.symbols()),
    text: rate((episode) => episode.text()),
    picture: game.picture === undefined ? null : rate((episode) => episode.picture()),
  }
})

if (values.json) console.log(JSON.stringify(rows))
else console.table(rows)
