export { type Autoencoder, type AutoencoderOptions, fitAutoencoder } from './autoencoder.ts'
export { explainAutoencoder, scoreAutoencoder } from './autoencoder-score.ts'
export type { HiddenActivation } from './dense-network.ts'
export {
  fitLstmAutoencoder,
  type LstmAutoencoder,
  type LstmAutoencoderOptions,
} from './lstm-autoencoder.ts'
export { explainLstmAutoencoder, scoreLstmAutoencoder } from './lstm-autoencoder-score.ts'
export type { LstmParameters, LstmShape } from './lstm-network.ts'
export type { InputScaling } from './observed-scaler.ts'
export type { TrainingHistory } from './training.ts'
export type { TrainingOptions } from './training-options.ts'
export { windowMatrix } from './window-matrix.ts'
