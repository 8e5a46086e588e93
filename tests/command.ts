import { program } from '../src/cli/program.ts'

/** The command line in this process: how it ended, what it printed, what it complained of, and that with all notes. */
export async function command(args: readonly string[]) {
  const [lines, problems, notes]: [string[], string[], string[]] = [[], [], []]
  const exitCode = await program({
    result: (line) => lines.push(line),
    note: (line) => notes.push(line),
    problem: (line) => {
      problems.push(line)
      notes.push(line)
    },
    progress: () => {},
    progressEnd: () => {},
    width: 100,
    colour: false,
  }).run([...args])
  return { exitCode, out: lines.join('\n'), problems: problems.join('\n'), notes: notes.join('\n') }
}
