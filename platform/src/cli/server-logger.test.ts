import { expect, it } from 'vitest'
import { serverLogger } from './server-logger.ts'

function lines(level: string, write: (logger: ReturnType<typeof serverLogger>) => void) {
  const written: string[] = []
  write(serverLogger(level, { write: (text) => void written.push(text) }))
  return written.map((text) => JSON.parse(text))
}

it('writes time, level and fields, and errors with what they say', () => {
  const [line] = lines('info', (logger) =>
    logger.warn({ error: new Error('connection reset'), deviceId: 'D-1' }, 'a request failed'),
  )
  expect(line).toMatchObject({
    level: 'warn',
    msg: 'a request failed',
    deviceId: 'D-1',
    error: { type: 'Error', message: 'connection reset' },
  })
  expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  expect(line.pid).toBeUndefined()
})

it('shows no secret, and nothing below its level', () => {
  const secret = 'c2VjcmV0'
  const text = JSON.stringify(
    lines('warn', (logger) => {
      logger.info('too low')
      logger.error({ password: secret, device: { primaryKey: secret }, token: secret }, 'refused')
    }),
  )
  expect(text).toContain('(not shown)')
  expect(text).not.toContain(secret)
  expect(text).not.toContain('too low')
})
