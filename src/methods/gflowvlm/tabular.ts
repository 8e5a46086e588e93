import { type Array as JaxArray, nn, numpy as np } from '@jax-js/jax'
import { Rng } from '../../core/index.ts'
import { clippedSurrogate } from '../../learn/objectives/clipped-surrogate.ts'
import {
  detailedBalanceLosses,
  subTrajectoryBalanceLosses,
  varianceTrajectoryBalance,
} from '../../learn/objectives/gflownet.ts'
import { groupedAdvantages } from '../../learn/objectives/grouped-advantages.ts'
import { openTraining } from '../../tensor/train.ts'
import { type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import { histories, rewardProportional } from '../../worlds/control/histories.ts'
import { stopAction } from '../../worlds/control/number-line.ts'
import { numberRoutes, routeMoves } from '../../worlds/control/number-routes.ts'

export type TabularLoss =
  | 'variance-trajectory'
  | 'sub-trajectory'
  | 'as-printed'
  | 'detailed'
  | 'policy-gradient'

export interface TabularOptions {
  readonly loss: TabularLoss
  readonly moves: number
  readonly start: number
  readonly target: number
  readonly steps: number
  /** Episodes of a step. */
  readonly group: number
  readonly learningRate: number
  readonly seed: string | number
}

const actions = [...Object.keys(routeMoves), stopAction]

/**
 * Trains a table of logits, one row for each history of a game of numbers that may be stopped anywhere, and gives the
 * total variation between where its episodes end and the distribution in proportion to the reward, both exact: the tree
 * is enumerated, nothing is sampled for the measurement.
 */
export async function tabularVariation(
  options: TabularOptions,
): Promise<{ readonly variation: number; readonly curve: readonly number[] }> {
  const { loss, moves, start, target, steps, group, learningRate, seed } = options
  const game = numberRoutes({ moves, stop: true })
  const nodes = histories(game, { start, target, moves }, moves)
  const places = new Map(nodes.map(({ actions: taken }, index) => [taken.join(' '), index]))
  const next = nodes.map(({ actions: taken }) =>
    actions.map((action) => places.get([...taken, action].join(' ').trim())),
  )
  const stop = actions.length - 1
  const isLegal = (node: number, action: number) => action === stop || next[node]![action] !== undefined
  const banned = Float32Array.from(
    nodes.flatMap((_, node) => actions.map((_, action) => (isLegal(node, action) ? 0 : -1e9))),
  )
  const wanted = rewardProportional(game, nodes).map(({ probability }) => probability)
  const logRewards = nodes.map(({ state }) => Math.log(game.terminalReward(state)))
  const cells = nodes.length * actions.length
  const width = moves + 1

  const training = await openTraining<Tree<Tensor>>({
    threads: 1,
    seed,
    clip: Number.POSITIVE_INFINITY,
    parameters: { logits: tensor(new Float32Array(cells), [nodes.length, actions.length]) },
    loss({ logits }: { logits: JaxArray }, { steps: taken, stops, ...given }: TabularBatch<JaxArray>) {
      const shut = np.array(banned, { shape: [nodes.length, actions.length] })
      const table = nn.logSoftmax(logits.ref.add(shut), -1).reshape([cells, 1])
      const logp = np.matmul(taken, table.ref).reshape([group, moves])
      const stopLogp = np.matmul(stops, table).reshape([group, width])
      if (loss === 'variance-trajectory' || loss === 'policy-gradient') {
        const total = np.sum(logp, -1).add(np.sum(stopLogp.mul(given.last.ref), -1))
        const logReward = np.sum(given.logReward.mul(given.last), -1)
        given.mask.dispose()
        if (loss === 'variance-trajectory') {
          for (const unused of [given.advantages, given.logpOld]) unused.dispose()
          const { losses, zeta } = varianceTrajectoryBalance({ logp: total, logReward })
          zeta.dispose()
          return np.mean(losses)
        }
        logReward.dispose()
        const { losses, clipped } = clippedSurrogate({
          logRatio: total.sub(given.logpOld),
          advantages: given.advantages,
        })
        clipped.dispose()
        return np.mean(losses)
      }
      for (const unused of [given.advantages, given.logpOld, given.last]) unused.dispose()
      const inputs = { logp, stopLogp, logReward: given.logReward, mask: given.mask }
      if (loss === 'detailed') return np.mean(np.sum(detailedBalanceLosses(inputs), -1))
      return np.mean(subTrajectoryBalanceLosses(inputs, { over: 'mean', asPrinted: loss === 'as-printed' }))
    },
  })
  const random = new Rng(seed).fork('tabular')
  const curve: number[] = []
  try {
    for (let step = 0; step < steps; step++) {
      const probabilities = softmaxRows(training.parameters, banned, actions.length)
      const rng = random.fork(step)
      await training.advance(sampledBatch(probabilities, rng.fork('play')), learningRate * decay(step, steps))
      if ((step + 1) % Math.max(1, Math.floor(steps / 20)) === 0) curve.push(variationNow())
    }
    return { variation: variationNow(), curve }
  } finally {
    await training.dispose()
  }

  function variationNow(): number {
    const probabilities = softmaxRows(training.parameters, banned, actions.length)
    const reached = new Float64Array(nodes.length)
    reached[0] = 1
    let distance = 0
    // parents stand before their children
    nodes.forEach((_, node) => {
      for (let action = 0; action < stop; action++) {
        const child = next[node]![action]
        if (child !== undefined)
          reached[child] = reached[node]! * probabilities[node * actions.length + action]!
      }
      distance += Math.abs(reached[node]! * probabilities[node * actions.length + stop]! - wanted[node]!)
    })
    return distance / 2
  }

  function sampledBatch(probabilities: Float64Array, rng: Rng): Tree<Tensor> {
    const taken = new Float32Array(group * moves * cells)
    const stops = new Float32Array(group * width * cells)
    const mask = new Float32Array(group * width)
    const last = new Float32Array(group * width)
    const logReward = new Float32Array(group * width)
    const logpOld = new Float32Array(group)
    const rewards: number[] = []
    for (let episode = 0; episode < group; episode++) {
      let node = 0
      for (let at = 0; ; at++) {
        const row = episode * width + at
        mask[row] = 1
        logReward[row] = logRewards[node]!
        stops[row * cells + node * actions.length + stop] = 1
        const own = probabilities.subarray(node * actions.length, (node + 1) * actions.length)
        const action = drawn(own, rng.uniform())
        logpOld[episode] = logpOld[episode]! + Math.log(own[action]!)
        if (action === stop) {
          last[row] = 1
          rewards.push(Math.exp(logRewards[node]!))
          break
        }
        taken[(episode * moves + at) * cells + node * actions.length + action] = 1
        node = next[node]![action]!
      }
    }
    return {
      steps: tensor(taken, [group * moves, cells]),
      stops: tensor(stops, [group * width, cells]),
      mask: tensor(mask, [group, width]),
      last: tensor(last, [group, width]),
      logReward: tensor(logReward, [group, width]),
      logpOld: tensor(logpOld, [group]),
      advantages: tensor(groupedAdvantages([rewards])[0] as number[], [group]),
    } satisfies TabularBatch<Tensor>
  }
}

type TabularBatch<Leaf> = {
  /** Float[group * moves, cells] and Float[group * (moves + 1), cells]: which cell a step took, or stopping a prefix would. */
  readonly steps: Leaf
  readonly stops: Leaf
  /** Float[group, moves + 1]: prefixes that were visited, the one that was stopped, and log-rewards of stopping. */
  readonly mask: Leaf
  readonly last: Leaf
  readonly logReward: Leaf
  /** Float[group] */
  readonly logpOld: Leaf
  readonly advantages: Leaf
}

function decay(step: number, steps: number): number {
  return 0.5 * (1 + Math.cos((Math.PI * step) / steps))
}

function softmaxRows(parameters: Tree<Tensor>, banned: Float32Array, width: number): Float64Array {
  const { data } = (parameters as { logits: Tensor }).logits
  const result = new Float64Array(data.length)
  for (let row = 0; row < data.length; row += width) {
    let top = Number.NEGATIVE_INFINITY
    for (let cell = row; cell < row + width; cell++) top = Math.max(top, Number(data[cell]!) + banned[cell]!)
    let sum = 0
    for (let cell = row; cell < row + width; cell++) {
      result[cell] = Math.exp(Number(data[cell]!) + banned[cell]! - top)
      sum += result[cell]!
    }
    for (let cell = row; cell < row + width; cell++) result[cell] = result[cell]! / sum
  }
  return result
}

function drawn(probabilities: Float64Array, point: number): number {
  let left = point
  let chosen = 0
  for (let action = 0; action < probabilities.length && left >= 0; action++) {
    if (probabilities[action] === 0) continue
    chosen = action
    left -= probabilities[action]!
  }
  return chosen
}
