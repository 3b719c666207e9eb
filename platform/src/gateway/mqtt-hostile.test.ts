import { afterEach, expect, test } from 'vitest'
import {
  cleanUp,
  client,
  connectFrame,
  ended,
  pressuresOf,
  publishFrame,
  rawSocket,
  start,
  topicOf,
  until,
} from './mqtt-test-support.ts'
import { benchMessage, hubLogin } from './test-support.ts'

afterEach(cleanUp)

test('packets cut anywhere are put together, byte by byte too', async () => {
  const bench = await start({ deviceIds: ['REF-1'] })
  const frames = Buffer.concat([
    connectFrame('REF-1'),
    ...Array.from({ length: 20 }, (_, n) => publishFrame('REF-1', n)),
    Buffer.from([0xc0, 0]),
  ])
  for (const step of [1, 7, 1_000]) {
    const socket = await rawSocket(bench.port)
    const answers: Buffer[] = []
    socket.on('data', (chunk: Buffer) => answers.push(chunk))
    for (let at = 0; at < frames.length; at += step) {
      if (!socket.write(frames.subarray(at, at + step))) {
        await new Promise((resolve) => socket.once('drain', resolve))
      }
      if (step > 1 || at % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    const expected = Buffer.concat([
      Buffer.from([0x20, 2, 0, 0]),
      ...Array.from({ length: 20 }, (_, n) => Buffer.from([0x40, 2, 0, n + 1])),
    ])
    // The ping overtakes acknowledgements: it needs no disk.
    await until(() => Buffer.concat(answers).length === expected.length + 2)
    const found = Buffer.concat(answers).toString('hex').replace('d000', '')
    expect(found).toBe(expected.toString('hex'))
    socket.destroy()
  }
  // The second and third time they are repeats: acknowledged, counted, not stored again.
  expect(bench.log.bounds(0).endOffset).toBe(20)
  expect(bench.metric('gateway_messages_duplicate_total')).toBe(40)
})

test('garbage and broken packets end their connection only', async () => {
  const bench = await start({ deviceIds: ['REF-1', 'REF-2'] })
  const good = await client(bench.port, hubLogin('REF-2'))
  const login = connectFrame('REF-1')
  const publish = publishFrame('REF-1', 1)
  const withBytes = (frame: Buffer, at: number, ...bytes: number[]): Buffer => {
    const copy = Buffer.from(frame)
    copy.set(bytes, at)
    return copy
  }
  const hostile: readonly Buffer[] = [
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0x7f]),
    Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4]),
    Buffer.from([0x00, 0x00]),
    Buffer.from([0x10, 0x02, 0x00, 0x04]),
    withBytes(login, 8, 9),
    publish,
    Buffer.concat([login, login]),
    Buffer.concat([login, withBytes(publish, 0, 0x36)]),
    Buffer.concat([login, Buffer.from([0x32, 4, 0xff, 0xff, 0, 0])]),
    Buffer.concat([login, Buffer.from([0x82, 2, 0, 1])]),
    Buffer.concat([login, Buffer.from([0xf0, 0])]),
    Buffer.concat([login, Buffer.from([0x62, 2, 0, 1])]),
    Buffer.concat([login, Buffer.alloc(500, 0xff)]),
  ]
  for (const bytes of hostile) {
    const socket = await rawSocket(bench.port)
    socket.resume()
    socket.write(bytes)
    await ended(socket)
  }
  await good.publishAsync(topicOf('REF-2'), benchMessage('REF-2', 1), { qos: 1 })
  expect(await pressuresOf(bench)).toEqual([1])
  await until(() => bench.metric('gateway_connections') === 1)
})

test('a client that sends without reading is not read further, and ends after a while', async () => {
  const bench = await start({
    deviceIds: ['REF-1', 'REF-2'],
    limits: { slowReaderTimeoutMs: 500, maxUnacknowledged: 1_000 },
  })
  const socket = await rawSocket(bench.port)
  socket.pause()
  socket.write(connectFrame('REF-1'))
  const pings = Buffer.alloc(1 << 20, Buffer.from([0xc0, 0]))
  const flood = setInterval(() => {
    if (socket.writableLength < 4 << 20) socket.write(pings)
  }, 5)
  await until(() => bench.metric('gateway_disconnects_total', 'slow reader') === 1)
  clearInterval(flood)
  expect(process.memoryUsage().rss).toBeLessThan(2e9)
  const good = await client(bench.port, hubLogin('REF-2'))
  await good.publishAsync(topicOf('REF-2'), benchMessage('REF-2', 1), { qos: 1 })
})

test('a connection that never says who it is ends', async () => {
  const bench = await start({ deviceIds: [], limits: { connectTimeoutMs: 300 } })
  const socket = await rawSocket(bench.port)
  socket.resume()
  await ended(socket)
  expect(bench.metric('gateway_disconnects_total', 'no CONNECT')).toBe(1)
})
