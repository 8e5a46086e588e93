// How far gradients of every network and every objective are from jax-js's and from finite differences: not a matter of
// speed, but a table. Tests keep the same numbers below 1e-4.
//
//   npm run -s bench -- gradients [--json]
import { type GradientDifferences, gradientDifferences } from '../tests/gradients.ts'
import { networkCases } from '../tests/network-cases.ts'
import { objectiveCases, objectiveDifferences } from '../tests/objective-cases.ts'
import { print } from './_throughput.ts'

const row = (kind: string, name: string, found: GradientDifferences) => ({
  kind,
  name,
  derivatives: found.numbers,
  'value to jax-js': found.value.toExponential(1),
  'gradient to jax-js': found.gradient.toExponential(1),
  'slope to differences (float64)': found.slope.toExponential(1),
})

const rows = []
for (const [name, { loss, parameters, batch }] of Object.entries(networkCases))
  rows.push(row('network', name, await gradientDifferences(loss, parameters, batch)))
for (const [name, objective] of Object.entries(objectiveCases))
  rows.push(row('objective', name, await objectiveDifferences(objective)))
print(rows)
