export { refrigeration } from './refrigeration.ts'
