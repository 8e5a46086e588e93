import { z } from 'zod'
import { GuerdonError, promptText, textOf } from '../../core/index.ts'
import { methods } from '../../methods/registry.ts'
import { allRewardTypes, rewardTypeNamed } from '../../methods/resolve.ts'
import { promptOf } from '../../rewards/judge/judge-prompt.ts'
import type { RewardType } from '../../rewards/reward-type.ts'
import { figure } from '../../stats/figure.ts'
import type { GlobalOptions } from '../session.ts'
import { table } from '../table.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

export interface RewardsOptions extends GlobalOptions {
  /** The words of a judge instead of its description. */
  readonly prompt?: boolean
}

/** `guerdon rewards`: the list; `guerdon rewards show NAME`: one with options, range, needs and examples, or the words of a judge. */
export async function rewardsCommand(
  action: string | undefined,
  name: string | undefined,
  options: RewardsOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const wanted = action === 'show' ? name : action === 'list' ? undefined : action
  if (wanted !== undefined) return show(rewardTypeNamed(wanted), options, terminal)
  const types = allRewardTypes()
  if (options.json) {
    terminal.result(
      JSON.stringify(
        types.map(({ name, summary, source }) => ({ name, summary, ...(source ? { source } : {}) })),
      ),
    )
    return 0
  }
  for (const line of table(
    ['reward', 'what it rewards', 'source'],
    types.map(({ name, summary, source }) => [name, summary, source ?? '']),
  ))
    terminal.result(line)
  terminal.note(
    '\n"guerdon rewards show NAME" describes one; expressions such as "0.7*math + 0.3*format" combine them',
  )
  return 0
}

function show(type: RewardType, options: RewardsOptions, terminal: Terminal): ExitCode {
  const reward = type.create(type.examples[0]?.options ?? {})
  const schema = z.toJSONSchema(type.options, { io: 'input', unrepresentable: 'any' }) as {
    properties?: Record<string, Record<string, unknown>>
  }
  const method = methods.find(({ rewards }) => rewards.includes(type))
  const { prompts } = type
  if (options.prompt) {
    if (prompts === undefined)
      throw new GuerdonError('no-prompt', `"${type.name}" asks no model, so it has no prompt.`)
    if (options.json) terminal.result(JSON.stringify(prompts))
    else for (const [use, prompt] of Object.entries(prompts)) terminal.result(`${use}\n${promptOf(prompt)}\n`)
    return 0
  }
  if (options.json) {
    const { name, summary, source } = type
    terminal.result(
      JSON.stringify({
        name,
        summary,
        source,
        range: reward.range,
        needs: reward.needs,
        options: schema,
        examples: type.examples,
        ...(prompts === undefined ? {} : { prompts }),
      }),
    )
    return 0
  }
  terminal.result(`${type.name}: ${type.summary}`)
  if (method) terminal.result(`published as ${method.title} (${method.paper})`)
  else if (type.source) terminal.result(`source: ${type.source}`)
  terminal.result(
    `range [${reward.range.join(', ')}]${reward.needs.length > 0 ? `, needs ${reward.needs.join(', ')}` : ''}`,
  )
  const entries = Object.entries(schema.properties ?? {})
  if (entries.length > 0) {
    terminal.result('\noptions')
    for (const line of table(
      ['option', 'value', 'default', 'meaning'],
      entries.map(([key, property]) => [
        key,
        valueText(property),
        property.default === undefined ? '' : JSON.stringify(property.default),
        String(property.description ?? ''),
      ]),
    ))
      terminal.result(`  ${line}`)
  }
  if (type.examples.length > 0) terminal.result('\nexamples')
  for (const { sample, value, options: given } of type.examples.slice(0, 4)) {
    const setting = Object.entries(given ?? {})
      .map(([key, item]) => `${key}=${typeof item === 'string' ? item : JSON.stringify(item)}`)
      .join(', ')
    terminal.result(
      `  ${type.name}${setting ? `(${setting})` : ''} = ${value === null ? 'unscored' : figure(value)}`,
    )
    terminal.result(`    prompt     ${oneLine(promptText(sample.prompt))}`)
    terminal.result(`    output     ${oneLine(textOf(sample.output) || JSON.stringify(sample.output))}`)
    if (sample.reference !== undefined)
      terminal.result(`    reference  ${oneLine(JSON.stringify(sample.reference))}`)
  }
  return 0
}

function valueText(property: Record<string, unknown>): string {
  if (Array.isArray(property.enum)) return property.enum.map(String).join(' | ')
  if (Array.isArray(property.anyOf))
    return property.anyOf.map((item) => valueText(item as Record<string, unknown>)).join(' | ')
  if (property.const !== undefined) return String(property.const)
  return String(property.type ?? 'value')
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > 110 ? `${line.slice(0, 110)} ...` : line
}
