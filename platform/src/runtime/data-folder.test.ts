import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDataFolder } from './data-folder.ts'

const temporary = () => mkdtempSync(join(tmpdir(), 'isotherm-folder-'))

describe('a data folder', () => {
  it('refuses a second opening and is free again after release', () => {
    const path = temporary()
    const first = openDataFolder(path, 'refrigeration')
    expect(() => openDataFolder(path, 'refrigeration')).toThrow(/in use by another/)
    first.release()
    openDataFolder(path, 'refrigeration').release()
  })

  it('refuses a newer layout and changes nothing', () => {
    const path = temporary()
    const marker = join(path, 'isotherm.json')
    writeFileSync(marker, '{"layout":99,"fleet":"refrigeration"}')
    expect(() => openDataFolder(path, 'refrigeration')).toThrow(/layout 99/)
    expect(readFileSync(marker, 'utf8')).toBe('{"layout":99,"fleet":"refrigeration"}')
  })

  it('refuses the data of another fleet', () => {
    const path = temporary()
    openDataFolder(path, 'ahu').release()
    expect(() => openDataFolder(path, 'refrigeration')).toThrow(/holds the ahu fleet/)
  })

  it('is made with its parents, or refused at once where nothing can be made', () => {
    const path = join(temporary(), 'a', 'b')
    openDataFolder(path, 'ahu').release()
    expect(existsSync(join(path, 'isotherm.json'))).toBe(true)
    const file = join(temporary(), 'file')
    writeFileSync(file, '')
    expect(() => openDataFolder(join(file, 'inside'), 'ahu')).toThrow(/cannot be created/)
  })

  it('keeps its secret across openings, readable by the owner only', () => {
    const path = temporary()
    const first = openDataFolder(path, 'refrigeration')
    first.release()
    const second = openDataFolder(path, 'refrigeration')
    expect(second.secretKey).toEqual(first.secretKey)
    second.release()
  })
})
