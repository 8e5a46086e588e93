#!/usr/bin/env node
import { program } from './program.ts'
import { processTerminal } from './terminal.ts'

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0) // the reader (`head`) had enough
})
process.exitCode = await program(processTerminal({ quiet: process.argv.includes('--quiet') })).run(
  process.argv.slice(2),
)
