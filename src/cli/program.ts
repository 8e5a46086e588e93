import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { GuerdonError, messageOf } from '../core/index.ts'
import type { ExitCode, Terminal } from './terminal.ts'

/**
 * The command line. Commands live in `commands/`, one file each, and are loaded when they are called, so that
 * `--help` stays quick.
 */
export function program(terminal: Terminal): { run(args: readonly string[]): Promise<ExitCode> } {
  let exitCode: ExitCode = 0
  const root = new Command('guerdon')
    .description(
      'Define, audit, use and learn from rewards of language, vision-language and generative models.',
    )
    .version(version(), '-V, --version')
    .option('--config <file>', 'configuration file', undefined)
    .option(
      '--store <file>',
      'file or postgres:// address of the store (default: DATABASE_URL, else .guerdon/store.db)',
    )
    .option('--json', 'print the result as JSON')
    .option('--quiet', 'no progress and no notes')
    .showHelpAfterError('("guerdon COMMAND --help" lists the options)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.result(text.trimEnd()),
      writeErr: (text) => terminal.problem(text.trimEnd()),
    })

  const command = <Loaded>(
    definition: Command,
    load: () => Promise<Loaded>,
    act: (loaded: Loaded, args: readonly string[], options: never, terminal: Terminal) => Promise<ExitCode>,
  ) => {
    definition.action(async (...given: unknown[]) => {
      const self = given.at(-1) as Command
      const args = given.slice(0, -2) as string[]
      exitCode = await act(await load(), args, self.optsWithGlobals() as never, terminal)
    })
    return definition
  }

  command(
    root
      .command('demo')
      .description(
        'score, rank and explain a small generated data set, write a report and open the page in the browser',
      )
      .option('--prompts <n>', 'prompts of each kind', count, 24)
      .option('--out <folder>', 'where to write', '.guerdon/demo')
      .option('--no-open', 'only print where the report and the page are, and end')
      .option('--serve', 'keep the page in the browser served, without a terminal too')
      .option('--port <n>', 'port of the page (0: any free one)', port, 4173),
    () => import('./commands/demo.ts'),
    (module, _args, options, terminal) => module.demo(options, terminal),
  )

  command(
    reading(scoring(root.command('score').description('score every sample of a file with rewards')))
      .argument(
        '<data>',
        'a file (.jsonl .json .csv .parquet, also .gz), "-" for JSON Lines on standard input, or hf://owner/name/split',
      )
      .option('--dry-run', 'ask no model and keep nothing, only say what it would cost'),
    () => import('./commands/score.ts'),
    (module, [data], options, terminal) => module.score(data!, options, terminal),
  )

  command(
    onScores(root.command('rank').description('best of n for every prompt, beside random, first and oracle'))
      .option('--by <measure>', 'the reward that chooses (default: the first)')
      .option('--gold <measure>', 'the truth to judge the choice by: another reward, meta.FIELD or reference')
      .addOption(new Option('--ties <rule>').choices(['first', 'expectation']).default('first'))
      .option('--top <n>', 'prompts to list', count, 10),
    () => import('./commands/rank.ts'),
    (module, [data], options, terminal) => module.rankCommand(data!, options, terminal),
  )

  command(
    onScores(root.command('compare').description('how far two rewards agree, or a reward and a label'))
      .option('--first <measure>', 'a reward (default: the first)')
      .option('--second <measure>', 'another reward, meta.FIELD or reference (default: the second reward)')
      .option(
        '--label <measure>',
        'the truth, such as meta.quality: every reward against it, and against each other',
      ),
    () => import('./commands/compare.ts'),
    (module, [data], options, terminal) => module.compareCommand(data!, options, terminal),
  )

  command(
    onScores(root.command('pairs').description('build preference pairs and export them for a trainer'))
      .option('--by <measure>', 'the reward that decides (default: the first)')
      .addOption(
        new Option('--strategy <name>').choices(['all', 'best-worst', 'best-rest']).default('best-worst'),
      )
      .option('--min-margin <x>', 'keep pairs whose scores differ by more than this', number, 0)
      .option('--max-per-prompt <n>', 'pairs of one prompt', count)
      .requiredOption('--out <file>', 'where to write (.jsonl .json .csv .parquet, also .gz)')
      .option(
        '--as <convention>',
        'layout of the rows: trl, trl-conversational, trl-implicit, hh-rlhf, kto, openrlhf, llama-factory, ms-swift, ultrafeedback-binarized or rlaif-v',
        'trl',
      ),
    () => import('./commands/pairs.ts'),
    (module, [data], options, terminal) => module.pairsCommand(data!, options, terminal),
  )

  command(
    onScores(
      root
        .command('export')
        .description('the best answers, or the prompts, as a training set for TRL, OpenRLHF or verl'),
    )
      .addOption(
        new Option('--rows <what>', 'answers to imitate, or prompts to learn on from a reward')
          .choices(['answers', 'prompts'])
          .default('answers'),
      )
      .option('--for <trainer>', 'trl, openrlhf, verl, or messages (answers only)', 'trl')
      .option('--by <measure>', 'the reward that decides (default: the first)')
      .option('--keep <n>', 'best answers of each prompt (default: 1)', count)
      .option('--at-least <x>', 'answers that score at least this', number)
      .option('--fraction <x>', 'this share of all answers, best first', number)
      .requiredOption('--out <file>', 'where to write (.jsonl .json .csv .parquet, also .gz)'),
    () => import('./commands/export.ts'),
    (module, [data], options, terminal) => module.exportCommand(data!, options, terminal),
  )

  command(
    root
      .command('rescore')
      .description('change weights or terms over stored parts, without judging anything again')
      .argument('<run>', 'a run, or "last"')
      .requiredOption('--weights <terms>', 'such as "0.5*toolrl.format + 2*toolrl.correctness"')
      .option('--before <measure>', 'the reward as it was (default: the first)'),
    () => import('./commands/rescore.ts'),
    (module, [run], options, terminal) => module.rescoreCommand(run!, options, terminal),
  )

  command(
    onScores(root.command('report').description('write one self-contained HTML page about a run'))
      .option('--out <file>', 'where to write', 'report.html')
      .option('--gold <measure>', 'the truth: another reward, meta.FIELD or reference')
      .option('--samples <n>', 'samples to show', count, 120)
      .option('--breakdown <field>', 'a text field to break rewards down by, such as meta.model')
      .option('--title <text>', 'heading of the page'),
    () => import('./commands/report.ts'),
    (module, [data], options, terminal) => module.reportCommand(data!, options, terminal),
  )

  command(
    judging(
      root
        .command('audit')
        .description('how far to trust a reward: benchmarks, attacks, length bias, calibration'),
    )
      .argument('<reward>', 'a name or an expression')
      .option('--on <benchmarks...>', 'benchmarks by name, NAME=FOLDER, or data files of your own')
      .option('--attacks [names...]', 'attack it: all attacks, or those named (also by family)')
      .option('--items <n>', 'items that are attacked', count, 100)
      .option('--stop-at <rate>', 'stop an attack as soon as its rate is surely above or below this', number)
      .option('--fail-below <score>', 'exit with 1 where a benchmark scores less', number)
      .option('--fail-attacks-above <rate>', 'exit with 1 where an attack succeeds more often', number)
      .option('--certificate <file>', 'write the calibration, bound to judge, prompt, parser and labels')
      .option('--cases <n>', 'worst cases shown for each benchmark', count, 5)
      .option('--queue', 'let the workers of the shared store judge ("guerdon worker")')
      .option('--out <file>', 'where to write', 'audit.html'),
    () => import('./commands/audit.ts'),
    (module, [reward], options, terminal) => module.auditCommand(reward!, options, terminal),
  )

  command(
    judging(
      root.command('certificate').description('whether a calibration still speaks of what is there now'),
    ).argument('<file>', 'what "guerdon audit --certificate" wrote'),
    () => import('./commands/audit.ts'),
    (module, [file], options, terminal) => module.certificateCommand(file!, options, terminal),
  )

  command(
    judging(
      root.command('leaderboard').description('compare many rewards on the same benchmarks, side by side'),
    )
      .argument('<rewards...>', 'names, expressions, or NAME=EXPRESSION')
      .requiredOption('--on <benchmarks...>', 'benchmarks by name, NAME=FOLDER, or data files of your own')
      .option('--out <file>', 'where to write', 'leaderboard.html'),
    () => import('./commands/leaderboard.ts'),
    (module, [rewards], options, terminal) =>
      module.leaderboardCommand(rewards as unknown as readonly string[], options, terminal),
  )

  command(
    root
      .command('rewards')
      .description('list the rewards, or describe one')
      .argument('[action]', '"list", "show", or a name')
      .argument('[name]', 'what to show')
      .option('--prompt', 'the words with which a judge asks its model'),
    () => import('./commands/rewards.ts'),
    (module, [action, name], options, terminal) => module.rewardsCommand(action, name, options, terminal),
  )

  command(
    root
      .command('methods')
      .description('search the catalogue of published systems, or describe one ("show ID")')
      .argument('[words...]', 'words to search for, or "show" and an id or number')
      .option('--tag <axis=leaves...>', 'only with such a tag: generator=diffusion,flow (repeatable)')
      .addOption(
        new Option('--world <world>', 'only with a proof on this world').choices(['W1', 'W2', 'W3', 'W4']),
      )
      .addOption(new Option('--status <status>', 'only of this status').choices(['planned', 'component']))
      .option('--gaps', "the surveys' leaves that have no component yet")
      .option('--coverage <axes...>', 'how many systems stand at each pair of two axes'),
    () => import('./commands/methods.ts'),
    (module, [words], options, terminal) =>
      module.methodsCommand(words as unknown as readonly string[], options, terminal),
  )

  command(
    calling(
      root
        .command('serve')
        .description('answer trainers and clients over HTTP with rewards and environments'),
    )
      .option('-r, --reward <expression...>', 'a reward: a name, or NAME=EXPRESSION (repeatable)')
      .option(
        '-e, --environment <name...>',
        'an environment (repeatable): number-line, number-routes, blackjack, ez-points, points-24, one-room, household, tool-calls, scene-questions',
      )
      .option(
        '--rewards-at-end',
        'over ORS the last step pays the whole episode, for callers that take the last reward (TRL)',
      )
      .option('--protocol <id...>', "protocols whose paths also stand at the root, before guerdon's own")
      .option('--host <address>', 'address to listen on; others than this machine need a token', '127.0.0.1')
      .option('--port <n>', 'port (0: any free one)', port, 8000)
      .option('--token <token>', 'a token of your own; better in the environment variable GUERDON_TOKEN')
      .option('--tokens <file>', 'file of tokens (default: .guerdon/tokens.json)')
      .option(
        '--unscored-as <value>',
        'the number for what cannot be judged, where a protocol wants one',
        number,
      )
      .option(
        '--shadow <new=expression...>',
        'a reward that only listens beside the first one ([OLD:]NEW=EXPRESSION)',
      )
      .option('--references <data>', 'a data set to look references up in, by prompt')
      .option('--image-urls', 'fetch images that requests name by URL (public addresses only)')
      .option('--cors <origin...>', 'pages that may ask from browsers')
      .option('--rate-limit <n>', 'requests a second of each token', number)
      .option('--max-body <MiB>', 'largest request', number)
      .option('--timeout <seconds>', 'longest time for an answer', number)
      .option('--group-wait <seconds>', 'longest that members of a group wait for each other', number)
      .option('--batch <n>', 'samples in a call of a reward', count)
      .option(
        '--concurrency <n>',
        'calls of each reward at a time, and requests to each model endpoint',
        count,
      )
      .option('--isolate [limits]', 'run each reward in a process of its own, such as "seconds=2,memory=512"')
      .option('--workers <n>', 'processes of each isolated reward', count)
      .option('--seed <seed>', 'seed of all randomness', '0')
      .option('--step <n>', 'training step, for rewards with a schedule', number)
      .option('--ui', 'also the page in the browser')
      .addOption(
        new Option('--log <level>', 'lines on standard error')
          .choices(['debug', 'info', 'warn', 'error', 'silent'])
          .default('info'),
      ),
    () => import('./commands/serve.ts'),
    (module, _args, options, terminal) => module.serveCommand(options, terminal),
  )

  command(
    root
      .command('token')
      .description('tokens for "guerdon serve": create, list, revoke ID')
      .argument('<action>', 'create, list or revoke')
      .argument('[id]', 'of the token to revoke')
      .option('--scope <scope...>', 'score, vote or admin (default: score)')
      .option('--name <name>', 'what it is for')
      .option('--days <n>', 'days until it expires (default: never)', count)
      .option('--tokens <file>', 'file of tokens (default: .guerdon/tokens.json)'),
    () => import('./commands/token.ts'),
    (module, [action, id], options, terminal) => module.tokenCommand(action!, id, options, terminal),
  )

  command(
    calling(
      root
        .command('ui')
        .description('open the page in the browser: samples, votes, audits, trainings, playground'),
    )
      .option(
        '-r, --reward <expression...>',
        "for the playground: a name, or NAME=EXPRESSION; such rewards may ask models (default: the configuration's)",
      )
      .option('--logs <folder...>', 'logs of trainings to follow: what trainers were told to `log` there')
      .option('--concurrency <n>', 'requests to each model endpoint at a time', count)
      .option('--port <n>', 'port (0: any free one)', port, 4173)
      .option('--no-open', 'only print the address'),
    () => import('./commands/ui.ts'),
    (module, _args, options, terminal) => module.uiCommand(options, terminal),
  )

  command(
    root
      .command('shim')
      .description(
        'write the Python file by which a trainer uses a served reward: trl, verl, ms-swift, openrlhf or verifiers',
      )
      .argument('<trainer>', 'trl, verl, ms-swift, openrlhf or verifiers')
      .requiredOption('-r, --reward <name>', 'name of the served reward')
      .option('--url <url>', 'of the server, with /t/TOKEN where a token is needed', 'http://127.0.0.1:8000')
      .option('--parts <names...>', 'verifiers: parts of the reward that become metrics')
      .option('--out <file>', 'where to write (default: standard output)'),
    () => import('./commands/shim.ts'),
    (module, [trainer], options, terminal) => module.shimCommand(trainer!, options, terminal),
  )

  command(
    root.command('runs').description('list the runs of the store').option('--remove <run>', 'forget a run'),
    () => import('./commands/runs.ts'),
    (module, _args, options, terminal) => module.runsCommand(options, terminal),
  )

  command(
    root
      .command('worker')
      .description('take work from the queues of the shared store (PostgreSQL), on any number of machines')
      .option('--threads <n>', 'shards at a time', count, 1)
      .option('--kinds <names>', 'only such work: score, audit, reproduction', undefined)
      .option('--lease <seconds>', 'a silent worker loses its shards after this long', count, 30)
      .option('--name <text>', 'what jobs call it (default: host name and process id)')
      .option('--idle <seconds>', 'end when there was nothing to do for this long', count)
      .option('--concurrency <n>', 'requests of this worker to each model endpoint at a time', count)
      .option('--requests-per-minute <n>', 'of this worker, to each model endpoint', count)
      .option('--tokens-per-minute <n>', 'of this worker, of each model endpoint', count),
    () => import('./commands/worker.ts'),
    (module, _args, options, terminal) => module.workerCommand(options, terminal),
  )

  command(
    root
      .command('jobs')
      .description('what was given to workers')
      .argument('[action]', 'list, show, cancel or retry', 'list')
      .argument('[id]', 'a job'),
    () => import('./commands/jobs.ts'),
    (module, [action, id], options, terminal) => module.jobsCommand(action!, id, options, terminal),
  )

  command(
    calling(root.command('models').description('where models come from; "try NAME TEXT" asks one'))
      .argument('[action]', 'list or try', 'list')
      .argument('[name]', 'a model, such as openai:gpt-5-mini')
      .argument('[text]', 'what to ask')
      .option('--concurrency <n>', 'requests at a time', count)
      .option('--choices <words>', 'how likely the answer begins with each, such as yes,no'),
    () => import('./commands/models.ts'),
    (module, [action, name, text], options, terminal) =>
      module.modelsCommand(action, name, text, options, terminal),
  )

  command(
    root
      .command('pretrain')
      .description('train an embedded model, measure it and write its card')
      .argument(
        '<name>',
        'text-lm, text-lm-sft, text-reactions, scenes-clip, scenes-vlm or scenes-vlm-biased',
      )
      .option('--seed <seed>', 'seed of all randomness', '0')
      .option('--steps <n>', "steps (default: the recipe's)", count)
      .option('--out <folder>', 'where weights and card go', 'weights')
      .option('--resume', 'go on with an interrupted training')
      .option('--samples <n>', 'held-out tasks or scenes for each metric', count, 512)
      .option('--threads <n>', 'threads', count, 2),
    () => import('./commands/pretrain.ts'),
    (module, [name], options, terminal) => module.pretrainCommand(name!, options, terminal),
  )

  command(
    root
      .command('train')
      .description('learn from data')
      .command('reward')
      .description('train a reward model on pairs, measure it, and see whether length or form do its work')
      .argument('<pairs>', 'a file of preferences (any layout that "guerdon pairs" writes, and others)')
      .requiredOption('--out <folder>', 'where the reward model goes')
      .option(
        '--on <trunk>',
        '"own": a small transformer with a vocabulary of its own; an embedded language model such as embedded:text-lm; or an embedder',
        'own',
      )
      .option('--test <file>', 'pairs to measure on (default: a share of these)')
      .option('--test-share <x>', 'share of the prompts that is held out', number, 0.1)
      .option('--split-by <field>', 'hold out whole values of a field, such as topic')
      .option('--no-prompt', 'read the answers without their prompts')
      .addOption(new Option('--pool <kind>', 'what is judged of an answer').choices(['last', 'mean', 'sum']))
      .addOption(
        new Option('--loss <kind>')
          .choices(['bradley-terry', 'margin', 'hinge', 'smooth-hinge', 'cross-entropy'])
          .default('bradley-terry'),
      )
      .option('--steps <n>', 'steps of each member', count, 400)
      .option('--rows <n>', 'answers in a batch', count, 32)
      .option('--rate <x>', 'highest learning rate', number, 2e-3)
      .option('--width <n>', 'of an own transformer', count, 48)
      .option('--depth <n>', 'of an own transformer', count, 2)
      .option('--vocabulary <n>', 'of an own transformer', count, 1024)
      .option('--members <n>', 'models of different seeds, averaged', count, 1)
      .option('--seed <seed>', 'seed of all randomness', '0')
      .option('--user <field>', 'field that says whose preference it is: one taste for each user')
      .option('--prototypes <n>', 'tastes that users are mixtures of', count, 2)
      .option('--dimension <field>', 'field that says in which respect: one output for each')
      .option('--confidence <field>', 'field with the probability that the order is right')
      .option('--weight <field>', 'field with what a pair counts')
      .option('--resume', 'go on with an interrupted training')
      .option('--threads <n>', 'threads', count, 2),
    () => import('./commands/train-reward.ts'),
    (module, [pairs], options, terminal) => module.trainRewardCommand(pairs!, options, terminal),
  )

  command(
    root
      .command('reproduce')
      .description('prove a published system on a small world, against baselines and controls')
      .argument('[id]', 'id or number of the system')
      .option('--all', 'every system that has a reproduction')
      .option('--seeds <n>', "seeds (default: the reproduction's, 5)", count)
      .option('--quick', 'a short deterministic slice without a verdict')
      .option('--workers <n>', 'runs at a time (default: one per core)', count)
      .option('--queue', 'let the workers of the shared store do the runs; they must see the folder')
      .option(
        '--out <folder>',
        'where runs, results and reports go; gone on from when they are there',
        '.guerdon/reproduce',
      )
      .option('--results <folder>', 'also keep the small results of full runs there, one JSON file each')
      .option('--write <file>', 'also write the verdicts of all results in that folder as a Markdown page'),
    () => import('./commands/reproduce.ts'),
    (module, [id], options, terminal) => module.reproduceCommand(id, options, terminal),
  )

  return {
    async run(args) {
      try {
        await root.parseAsync(args.length === 0 ? ['--help'] : [...args], { from: 'user' })
        return exitCode
      } catch (error) {
        if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
        terminal.progressEnd()
        terminal.problem(
          error instanceof GuerdonError
            ? `error: ${error.message}`
            : `unexpected error: ${error instanceof Error ? error.stack : messageOf(error)}`,
        )
        return 2
      }
    },
  }
}

/** Options of commands that score. */
function scoring(command: Command): Command {
  return calling(command)
    .option(
      '-r, --reward <expression...>',
      'a reward: a name, NAME=EXPRESSION, or such as "0.7*math + 0.3*format" (repeatable)',
    )
    .option(
      '--run <id>',
      'go on with this run, or give the new one this id (default: the unfinished run of the same command, else a new one)',
    )
    .option('--seed <seed>', 'seed of all randomness', '0')
    .option('--step <n>', 'training step, for rewards with a schedule', number)
    .option('--concurrency <n>', 'calls of each reward at a time, and requests to each model endpoint', count)
    .option('--batch <n>', 'samples in a call', count)
    .option('--workers <n>', 'threads; with --queue: those of this process that take part', count)
    .option('--queue', 'let the workers of the shared store do it, and wait ("guerdon worker")')
    .option('--detach', 'with --queue: do not wait')
    .option(
      '--isolate [limits]',
      'run each reward in a process of its own, such as "seconds=2,cpu=2,memory=512"',
    )
}

/** Options of commands that may call models. */
function calling(command: Command): Command {
  return command
    .option('--max-cost <usd>', 'stop before model calls cost more [US dollars]', number)
    .option('--max-calls <n>', 'stop after this many requests to models', count)
    .option('--requests-per-minute <n>', 'to each model endpoint', count)
    .option('--tokens-per-minute <n>', 'of each model endpoint', count)
    .option('--price <model=in/out...>', 'US dollars per million tokens, such as openai:gpt-5-mini=0.25/2')
    .option('--no-cache', 'ask models again what they have answered before')
}

/** Options of commands that judge benchmarks or data files. */
function judging(command: Command): Command {
  return calling(reading(command)).option('--seed <seed>', 'seed of all randomness', '0')
}

/** Options of commands that read data. */
function reading(command: Command): Command {
  return command
    .option('--format <name>', 'jsonl, json, csv or parquet (default: by the name)')
    .option('--convention <name>', 'what the columns mean (default: found out)')
    .option('--map <field=path...>', 'where a field stands, such as output=answers.0.text')
    .option('--at <path>', 'where the list of rows stands in a JSON file, such as data.items')
    .option('--limit <n>', 'read at most this many rows', count)
}

/** Commands on scores: of a run, or of a file that is scored first. */
function onScores(command: Command): Command {
  return reading(scoring(command.argument('<run|data>', 'a run, "last", or a data file to score first')))
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number from 1.')
  return value
}

function port(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('Give a port from 0 to 65535.')
  return value
}

function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Give a number.')
  return value
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}
