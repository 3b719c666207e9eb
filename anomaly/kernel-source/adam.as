import { addressOf } from './arena'

// One step of Adam (Kingma & Ba 2015, algorithm 1). stepSize is α / (1 − β1^t),
// rootCorrection is 1 / √(1 − β2^t):
// m = β1·m + (1 − β1)·g, v = β2·v + (1 − β2)·g², p = p − stepSize·m / (√v·rootCorrection + ε).
export function adamStep(
  parameters: usize,
  gradients: usize,
  m: usize,
  v: usize,
  count: usize,
  stepSize: f32,
  rootCorrection: f32,
  beta1: f32,
  oneMinusBeta1: f32,
  beta2: f32,
  oneMinusBeta2: f32,
  epsilon: f32,
): void {
  parameters = addressOf(parameters)
  gradients = addressOf(gradients)
  m = addressOf(m)
  v = addressOf(v)
  const end = parameters + (count << 2)
  for (; parameters < end; parameters += 16, gradients += 16, m += 16, v += 16) {
    const gradient = v128.load(gradients)
    const mean = f32x4.add(
      f32x4.mul(f32x4.splat(beta1), v128.load(m)),
      f32x4.mul(f32x4.splat(oneMinusBeta1), gradient),
    )
    const square = f32x4.add(
      f32x4.mul(f32x4.splat(beta2), v128.load(v)),
      f32x4.mul(f32x4.mul(f32x4.splat(oneMinusBeta2), gradient), gradient),
    )
    v128.store(m, mean)
    v128.store(v, square)
    const root = f32x4.add(
      f32x4.mul(f32x4.sqrt(square), f32x4.splat(rootCorrection)),
      f32x4.splat(epsilon),
    )
    const step = f32x4.div(f32x4.mul(f32x4.splat(stepSize), mean), root)
    v128.store(parameters, f32x4.sub(v128.load(parameters), step))
  }
}
