import { expect, it } from 'vitest'
import { requireDiskRoom } from './disk-room.ts'

const disk = (bavail: number) => () => ({ bavail, blocks: 1000, bsize: 2 ** 20 })

it('a nearly full disk is refused with what is left, at the same limit as the log (ING-18)', () => {
  expect(() => requireDiskRoom('/data', disk(49))).toThrow(
    /disk of \/data is 95.1 % full \(49 MiB left\).*Free space/,
  )
  requireDiskRoom('/data', disk(50))
})
