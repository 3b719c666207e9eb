"""Series: statsmodels' STL, plain and robust, over generated series."""

import numpy as np

from anomaly_peers import answer, options, save, versions

SHAPES = 12


def series_of(shape, seed, length=360):
    """One of twelve shapes: season, trend, noise, jumps, outliers, in differing mixtures."""
    rng = np.random.default_rng(1000 * shape + seed)
    t = np.arange(length)
    period = [24, 12, 7, 24][shape % 4]
    values = 3 * np.sin(2 * np.pi * t / period) + np.cos(4 * np.pi * t / period)
    values = values * (1 + (shape % 3) * t / length) + (shape % 5) * 0.01 * t
    values += rng.normal(size=length) * [0.2, 1, 3][shape % 3]
    if shape % 2:
        values[length // 2 :] += 4
    if shape > 5:
        values[rng.choice(length, 12, replace=False)] += rng.normal(size=12) * 20
    return values, period


def series_task():
    from statsmodels.tsa.seasonal import STL

    periods = {}
    for shape in range(SHAPES):
        for seed in options["seeds"]:
            key = f"s{shape}n{seed}"
            values, periods[key] = series_of(shape, seed)
            save(f"{key}.values", values)
            for name, robust in [("plain", False), ("robust", True)]:
                fitted = STL(values, period=periods[key], robust=robust).fit()
                save(f"{key}.{name}", np.array([fitted.trend, fitted.seasonal, fitted.resid]))
    answer(periods=periods, versions=versions("statsmodels"))
