import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { buildKernel, KERNEL_MODULE, kernelModuleText } from './build.ts'

test('the compiled kernel in the package is what its source compiles to', async () => {
  const bytes = await buildKernel()
  expect(bytes.length).toBeLessThan(20_000)
  expect(readFileSync(KERNEL_MODULE, 'utf8')).toBe(kernelModuleText(bytes))
})
