// Opens a table once and prints how many milliseconds it took, for C7. Argument: folder.
import { folderStore, openTable } from '@isotherm/delta'

const start = performance.now()
const table = await openTable(folderStore(process.argv[2] ?? ''))
const { files } = await table.snapshot()
const ms = performance.now() - start
if (files.length === 0) throw new Error('the table is empty')
process.stdout.write(String(ms))
