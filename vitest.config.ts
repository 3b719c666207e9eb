import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      '{delta,anomaly,platform,console,fleets,scenarios,verify,bench,tools}/**/*.test.ts',
      'tidy.test.ts',
    ],
    exclude: ['**/node_modules/**'],
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
