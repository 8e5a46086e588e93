import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    pool: 'forks',
    // by itself it leaves a core free, which is half of a small machine
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A database that is given is for the tests of PostgreSQL alone, not the store of every command that is tested.
    env: { DATABASE_URL: '', GUERDON_TEST_DATABASE_URL: process.env.DATABASE_URL ?? '' },
  },
})
