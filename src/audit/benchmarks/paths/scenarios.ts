import { descriptorNames, type PathDescriptors } from './descriptors.ts'

/** For each descriptor whether a scenario wants it larger (1), smaller (-1), or does not care (0). */
export type Wishes = Readonly<Record<keyof PathDescriptors, -1 | 0 | 1>>

export interface PathScenario {
  readonly name: string
  /** What is asked for, in our own words. */
  readonly text: string
  readonly wishes: Wishes
}

/** Average, minimum and maximum clearance, length, sharp turns, maximum angle, smoothness: `+`, `-` or `0`. */
function scenario(name: string, signs: string, text: string): PathScenario {
  const wishes = Object.fromEntries(
    descriptorNames.map((descriptor, index) => [descriptor, { '+': 1, '-': -1, '0': 0 }[signs[index]!]]),
  ) as Wishes
  return { name, text, wishes }
}

/**
 * The fifteen scenarios and what each wants of a path.
 *
 * @source PathEval, arXiv 2411.18711
 */
export const pathScenarios: readonly PathScenario[] = [
  scenario(
    'large truck',
    '0000---',
    'A large truck turns badly: it needs a path that bends little, with no sharp turn.',
  ),
  scenario(
    'firefighting search',
    '++0+000',
    'Firefighters search a burning building: they want to see as much of it as they can while keeping away from walls.',
  ),
  scenario(
    'war zone',
    '-0--000',
    'A vehicle crosses a war zone: it wants to stay close to cover and to arrive soon.',
  ),
  scenario(
    'drone parcel',
    '++0----',
    'A drone brings a parcel: it wants a short, smooth flight well away from obstacles.',
  ),
  scenario(
    'aid delivery',
    '0+0-000',
    'An aid convoy wants to arrive soon without ever coming close to an obstacle.',
  ),
  scenario(
    'museum',
    '0+00-0-',
    'A robot guides visitors through a museum: it walks smoothly, without sharp turns, and never brushes an exhibit.',
  ),
  scenario('articulated vehicle', '0000---', 'An articulated bus can hardly turn: it needs a gentle path.'),
  scenario(
    'combine harvester',
    '++00000',
    'A combine harvester is wide: it wants as much room around it as there is.',
  ),
  scenario(
    'forklift',
    '0+00---',
    'A forklift carries a high load: no sharp turns, and never close to a shelf.',
  ),
  scenario('crane', '0000---', 'A mobile crane must not swing its load: it needs a path that bends little.'),
  scenario(
    'taxi',
    '++00---',
    'A self-driving taxi wants a comfortable ride: gentle bends and a good distance from everything.',
  ),
  scenario(
    'Mars rover',
    '000--0-',
    'A rover on Mars saves energy: a short path with few sharp turns and little turning altogether.',
  ),
  scenario(
    'visually impaired guide',
    '++00---',
    'A guide for a visually impaired person wants gentle bends and distance from obstacles.',
  ),
  scenario(
    'soil monitoring',
    '-0-+000',
    'A robot samples the soil along the edges of obstacles: it wants a long path close to them.',
  ),
  scenario(
    'inspection',
    '-0-+---',
    'An inspection robot follows surfaces closely for as long as it can, with a steady hand: few and gentle turns.',
  ),
]

/** Differences at least this large count; the paper's values, in units of its maps and degrees. */
export const publishedThresholds: PathDescriptors = {
  averageClearance: 0.8,
  minimumClearance: 0.8,
  maximumClearance: 0.8,
  length: 50,
  smoothness: 90,
  sharpTurns: 1,
  maximumAngle: 30,
}

export type PathLabel = 'Path 1' | 'Path 2' | 'Unresolved'

/** Which path serves a scenario: the one that wins every descriptor that counts; unresolved where none counts or they disagree. */
export function pathLabel(
  first: PathDescriptors,
  second: PathDescriptors,
  wishes: Partial<Wishes>,
  thresholds: PathDescriptors = publishedThresholds,
): PathLabel {
  const winners = new Set(
    descriptorNames.flatMap((name) => {
      const difference = first[name] - second[name]
      const wish = wishes[name] ?? 0
      return wish === 0 || Math.abs(difference) < thresholds[name] ? [] : [Math.sign(difference) * wish]
    }),
  )
  if (winners.size !== 1) return 'Unresolved'
  return winners.has(1) ? 'Path 1' : 'Path 2'
}

/** The choice in a reply as the released script compares it: all before "Explanation:" must be the choice and nothing else ("Answer:" may stand before it). */
export function readPathChoice(reply: string): 'Path 1' | 'Path 2' | null {
  const said = reply
    .split('Explanation:')[0]!
    .replace(/[ *.\n]/g, '')
    .replace(/^Answer:/, '')
  return said === 'Path1' ? 'Path 1' : said === 'Path2' ? 'Path 2' : null
}
