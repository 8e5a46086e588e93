#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { program } from './program.ts'
import { processTerminal } from './terminal.ts'

enableCompileCache() // commands load much when they are called; compiled code is kept between calls
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0) // the reader (`head`) had enough
})
process.exitCode = await program(processTerminal({ quiet: process.argv.includes('--quiet') })).run(
  process.argv.slice(2),
)
