import { GuerdonError } from '../../core/index.ts'
import { ask } from '../../models/chat-model.ts'
import { capabilitiesOf, capable } from '../../models/model.ts'
import { isModelSettings } from '../../models/model-settings.ts'
import { isFailed } from '../../models/outcome.ts'
import { modelKinds, resolveModel } from '../../nets/resolve-model.ts'
import { figure } from '../../stats/figure.ts'
import { type ModelCallOptions, withModelCalls } from '../model-calls.ts'
import { type GlobalOptions, type Session, withSession } from '../session.ts'
import { table } from '../table.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

export interface ModelsOptions extends GlobalOptions, ModelCallOptions {
  /** Commas between them. */
  readonly choices?: string
}

/** `guerdon models`: where models come from; `guerdon models try NAME TEXT`: asks one. */
export function modelsCommand(
  action: string | undefined,
  name: string | undefined,
  text: string | undefined,
  options: ModelsOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  return withSession<ExitCode>(options, async (session) => {
    if (action === undefined || action === 'list') return list(session, options, terminal)
    if (action !== 'try' || name === undefined || text === undefined)
      throw new GuerdonError('bad-option', 'nothing is asked.', {
        fix: 'Such as: guerdon models try openai:gpt-5-mini "Is the sky blue?"',
      })
    return withModelCalls(session, options, terminal, () => tried(name, text, options, terminal))
  })
}

function list({ config }: Session, options: ModelsOptions, terminal: Terminal): ExitCode {
  const own = Object.entries(config.models ?? {}).map(
    ([name, model]) => [name, isModelSettings(model) ? model.model : model.id] as const,
  )
  if (options.json) {
    terminal.result(JSON.stringify({ kinds: modelKinds, models: Object.fromEntries(own) }))
    return 0
  }
  for (const line of table(['kind', 'what it is'], Object.entries(modelKinds))) terminal.result(line)
  if (own.length > 0) terminal.result('')
  if (own.length > 0) for (const line of table(['model', 'stands for'], own)) terminal.result(line)
  terminal.note('\n"guerdon models try NAME TEXT" asks one')
  return 0
}

async function tried(
  name: string,
  text: string,
  options: ModelsOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const model = await resolveModel(name)
  const abilities = capabilitiesOf(model)
  const result = options.choices
    ? await choiceResult(name, text, options.choices.split(','))
    : abilities.includes('chat')
      ? await chatResult(name, text)
      : await embeddingResult(name, text)
  if (options.json) terminal.result(JSON.stringify({ model: model.id, capabilities: abilities, ...result }))
  else {
    terminal.note(`${model.id} can: ${abilities.join(', ')}`)
    for (const [field, value] of Object.entries(result))
      if (field !== 'failure')
        terminal.result(typeof value === 'string' ? value : `${field} ${JSON.stringify(value)}`)
    if (result.failure) terminal.problem(`no answer (${result.failure.code}): ${result.failure.reason}`)
  }
  return result.failure ? 2 : 0
}

type Result = { readonly failure?: { readonly code: string; readonly reason: string } } & Record<
  string,
  unknown
>

async function chatResult(name: string, text: string): Promise<Result> {
  const [reply] = await capable(await resolveModel(name), 'chat').chat([ask(text)])
  const { text: said, failure, reasoning } = reply!
  if (failure) return { failure }
  return { ...(reasoning === undefined ? {} : { reasoning }), text: said }
}

async function choiceResult(name: string, text: string, choices: readonly string[]): Promise<Result> {
  const variants = Object.fromEntries(choices.map((choice) => [choice, [choice]]))
  const [found] = await capable(await resolveModel(name), 'choices').choices([ask(text)], variants)
  if (isFailed(found)) return { failure: found.failure }
  const { full, bounds } = found!
  return Object.fromEntries(
    choices.map((choice) => {
      const bound = bounds?.full[choice]
      return [choice, bound === undefined ? figure(full[choice]!) : bound.map((limit) => figure(limit))]
    }),
  )
}

async function embeddingResult(name: string, text: string): Promise<Result> {
  const [vector] = await capable(await resolveModel(name), 'embedText').embedText([text])
  return isFailed(vector) ? { failure: vector.failure } : { dimensions: vector!.length }
}
