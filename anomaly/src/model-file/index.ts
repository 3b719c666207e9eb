export {
  decodeModel,
  encodeModel,
  MODEL_FILE_VERSION,
  type ModelState,
  modelHash,
} from './model-file.ts'
