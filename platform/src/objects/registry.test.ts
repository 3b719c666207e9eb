import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { DeviceRow } from '../contracts/index.ts'
import { deviceRow, startMs, temporaryState } from './test-support.ts'

async function opened() {
  const store = await temporaryState()
  onTestFinished(store.remove)
  return store
}

describe('the device registry (ING-3)', () => {
  it('keeps a device after reopening and finds it as of any time', async () => {
    const store = await opened()
    await store.state.registry.upsert([deviceRow('REF-1', { site_id: 'A', valid_from: 1_000 })])
    await store.state.registry.upsert([deviceRow('REF-1', { site_id: 'B', valid_from: 5_000 })])
    const registry = (await store.reopen()).registry
    expect(registry.device('REF-1')?.site_id).toBe('B')
    const sites = [999, 1_000, 4_999, 5_000].map((ms) => registry.devicesAsOf(ms)[0]?.site_id)
    expect(sites).toEqual([undefined, 'A', 'A', 'B'])
    expect(registry.deviceAsOf('REF-1', 1)?.site_id).toBe('A')
  })

  it('lets a change begin now when it claims to begin before the version it replaces', async () => {
    const { state, time } = await opened()
    await state.registry.upsert([deviceRow('REF-1', { valid_from: 5_000 })])
    time.nowMs = startMs + 60_000
    await state.registry.upsert([deviceRow('REF-1', { valid_from: 5_000, model: 'CF-300' })])
    expect(state.registry.device('REF-1')?.valid_from).toBe(startMs + 60_000)
    expect(state.registry.devicesAsOf(startMs)[0]?.model).toBe('CF-200')
  })

  it('changes its version exactly when the content changes', async () => {
    const { state } = await opened()
    await state.registry.upsert([deviceRow('REF-1')])
    const version = state.registry.version()
    expect(await state.registry.upsert([deviceRow('REF-1', { valid_from: 3 })])).toEqual({
      added: 0,
      changed: 0,
      unchanged: 1,
    })
    expect(state.registry.version()).toBe(version)
    await state.registry.upsert([deviceRow('REF-1', { firmware_version: '3.2.0' })])
    expect(state.registry.version()).not.toBe(version)
  })

  it('refuses an id with a character that no device may have and writes nothing', async () => {
    const { state } = await opened()
    const rows = [deviceRow('REF-1'), deviceRow('REF/2')]
    await expect(state.registry.upsert(rows)).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    expect(state.registry.devices()).toEqual([])
  })

  it('tells listeners which devices changed, and no others', async () => {
    const { state } = await opened()
    await state.registry.upsert([deviceRow('REF-1'), deviceRow('REF-2')])
    const told: string[] = []
    state.credentials.identity.onChange((deviceId) => told.push(deviceId))
    await state.registry.upsert([deviceRow('REF-1'), deviceRow('REF-2', { status: 'disabled' })])
    expect(told).toEqual(['REF-2'])
  })

  it('counts active devices per site and names the site', async () => {
    const { state } = await opened()
    await state.registry.upsert([
      deviceRow('REF-1', { site_name: 'Main Street' }),
      deviceRow('REF-2', { status: 'disabled' }),
      deviceRow('REF-3', { site_id: 'SITE-0' }),
    ])
    expect(state.registry.sites()).toEqual([
      { siteId: 'SITE-0', siteName: 'SITE-0', region: 'north', deviceCount: 1 },
      { siteId: 'SITE-1', siteName: 'Main Street', region: 'north', deviceCount: 1 },
    ])
  })

  it('answers as-of questions like a naive scan over all versions ever written', async () => {
    const step = fc.record({
      id: fc.constantFrom('A', 'B'),
      model: fc.constantFrom('m1', 'm2', 'm3'),
      from: fc.integer({ min: 1, max: 50 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const store = await temporaryState()
        try {
          const naive: DeviceRow[] = []
          for (const { id, model, from } of steps) {
            store.time.nowMs += 1
            const row = deviceRow(id, { model, valid_from: from })
            await store.state.registry.upsert([row])
            const current = naive.findLast(({ device_id }) => device_id === id)
            if (current?.model === model) continue
            const start =
              current === undefined || from > current.valid_from
                ? from
                : Math.max(store.time.nowMs, current.valid_from + 1)
            naive.push({ ...row, valid_from: start })
          }
          const { registry } = await store.reopen()
          for (const ms of [0, 1, 10, 25, 50, startMs, startMs + 20]) {
            const expected = ['A', 'B'].flatMap((id) => {
              const found = naive.filter(({ device_id, valid_from }) => {
                return device_id === id && valid_from <= ms
              })
              return found.length === 0 ? [] : [found.at(-1)?.model]
            })
            const byId = registry
              .devicesAsOf(ms)
              .toSorted((left, right) => (left.device_id < right.device_id ? -1 : 1))
            expect(byId.map(({ model }) => model)).toEqual(expected)
          }
        } finally {
          await store.remove()
        }
      }),
      { numRuns: 15 },
    )
  })

  it('takes over 100,000 devices in a few seconds', async () => {
    const { state } = await opened()
    const rows = Array.from({ length: 100_000 }, (_, index) =>
      deviceRow(`REF-${index}`, { site_id: `SITE-${index % 1_000}` }),
    )
    const before = process.cpuUsage()
    await state.registry.upsert(rows)
    const { user, system } = process.cpuUsage(before)
    expect(state.registry.devices().length).toBe(100_000)
    // CPU time, because others share the machine; measured 1.0 s.
    expect((user + system) / 1e6).toBeLessThan(3)
  })
})
