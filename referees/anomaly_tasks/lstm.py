"""An LSTM autoencoder written out in numpy, float64: one trusted implementation without torch."""

import numpy as np


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _cell(x, h, c, p, side):
    units = h.shape[1]
    gates = x @ p[f"{side}Input"] + h @ p[f"{side}State"] + p[f"{side}Bias"]
    i, f = _sigmoid(gates[:, :units]), _sigmoid(gates[:, units : 2 * units])
    g, o = np.tanh(gates[:, 2 * units : 3 * units]), _sigmoid(gates[:, 3 * units :])
    c_new = f * c + i * g
    h_new = o * np.tanh(c_new)
    return h_new, c_new, (x, h, c, i, f, g, o, c_new)


def _cell_back(dh, dc, trace, p, side, grads):
    x, h, c, i, f, g, o, c_new = trace
    t = np.tanh(c_new)
    dc = dc + dh * o * (1 - t * t)
    d_gates = np.hstack(
        [
            dc * g * i * (1 - i),
            dc * c * f * (1 - f),
            dc * i * (1 - g * g),
            dh * t * o * (1 - o),
        ]
    )
    grads[f"{side}Input"] += x.T @ d_gates
    grads[f"{side}State"] += h.T @ d_gates
    grads[f"{side}Bias"] += d_gates.sum(axis=0)
    return d_gates @ p[f"{side}Input"].T, d_gates @ p[f"{side}State"].T, dc * f


def _step(batch, p):
    """Loss of a batch, half the squared error per window, and its gradients."""
    count, steps, channels = batch.shape
    units = p["encoderState"].shape[0]
    h = c = np.zeros((count, units))
    encoder, decoder, errors = [], [], []
    for t in range(steps):
        h, c, trace = _cell(batch[:, t], h, c, p, "encoder")
        encoder.append(trace)
    code = h
    h = c = np.zeros((count, units))
    for t in range(steps):
        h, c, trace = _cell(code, h, c, p, "decoder")
        decoder.append((trace, h))
        errors.append(h @ p["outputWeights"] + p["outputBias"] - batch[:, t])
    loss = 0.5 * sum((e * e).sum() for e in errors) / count
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    dh = dc = np.zeros((count, units))
    d_code = np.zeros((count, units))
    for t in reversed(range(steps)):
        d_out = errors[t] / count
        trace, h = decoder[t]
        grads["outputWeights"] += h.T @ d_out
        grads["outputBias"] += d_out.sum(axis=0)
        dx, dh, dc = _cell_back(dh + d_out @ p["outputWeights"].T, dc, trace, p, "decoder", grads)
        d_code += dx
    dh, dc = d_code, np.zeros((count, units))
    for t in reversed(range(steps)):
        _, dh, dc = _cell_back(dh, dc, encoder[t], p, "encoder", grads)
    return loss, grads


def train(windows, folder, shape, options):
    """Adam over batches in the order of the windows; the mean loss of each epoch per cell."""
    flat = windows.reshape(-1, shape["channels"])
    windows = (windows - flat.mean(axis=0)) / flat.std(axis=0)
    p = {
        name: np.fromfile(folder / f"{name}.f64", dtype="<f8").reshape(size)
        for name, size in shape["parameters"].items()
    }
    first = {name: np.zeros_like(value) for name, value in p.items()}
    second = {name: np.zeros_like(value) for name, value in p.items()}
    losses, step = [], 0
    for _ in range(options["epochs"]):
        total = 0
        for start in range(0, len(windows), options["batch"]):
            batch = windows[start : start + options["batch"]]
            loss, grads = _step(batch, p)
            total += loss * len(batch)
            step += 1
            for name, grad in grads.items():
                first[name] = 0.9 * first[name] + 0.1 * grad
                second[name] = 0.999 * second[name] + 0.001 * grad * grad
                mean = first[name] / (1 - 0.9**step)
                spread = np.sqrt(second[name] / (1 - 0.999**step))
                p[name] = p[name] - options["rate"] * mean / (spread + 1e-8)
        losses.append(total / len(windows) / windows[0].size)
    return losses
