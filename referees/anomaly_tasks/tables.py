"""Twelve labelled tables: five that scikit-learn brings along, seven that it or numpy generates."""

import numpy as np
from sklearn import datasets


def _mixed(normal, outliers, rng, share=0.05):
    """All normal rows and so many outliers that they make `share`, in random order."""
    count = max(5, min(len(outliers), int(round(share * len(normal) / (1 - share)))))
    chosen = outliers[rng.choice(len(outliers), count, replace=False)]
    rows = np.vstack([normal, chosen]).astype(float)
    labels = np.r_[np.zeros(len(normal)), np.ones(count)]
    order = rng.permutation(len(rows))
    return rows[order], labels[order]


def _classes(data, target, normal, rng):
    inside = np.isin(target, normal)
    return _mixed(data[inside], data[~inside], rng)


def _broken_relation(rows, rng):
    """Outliers are rows in which every third cell comes from another row."""
    broken = rows[rng.permutation(len(rows))].copy()
    columns = np.arange(rows.shape[1]) % 3 == 0
    broken[:, columns] = rows[rng.permutation(len(rows))][:, columns]
    return _mixed(rows, broken, rng)


def _uniform_around(rows, rng):
    low, high = rows.min(axis=0), rows.max(axis=0)
    span = high - low
    return rng.uniform(low - 0.1 * span, high + 0.1 * span, (len(rows), rows.shape[1]))


def _factors(rng):
    factors = rng.normal(size=(1500, 4))
    rows = factors @ rng.normal(size=(4, 12)) + 0.3 * rng.normal(size=(1500, 12))
    return _broken_relation(rows, rng)


def _heavy_tails(rng):
    rows = rng.standard_t(3, size=(2000, 10))
    shifted = rng.standard_t(3, size=(2000, 10))
    shifted[:, :4] += 4
    return _mixed(rows, shifted, rng)


def _blobs(rng):
    rows, _ = datasets.make_blobs(1500, 8, centers=4, random_state=int(rng.integers(1 << 30)))
    return _mixed(rows, _uniform_around(rows, rng), rng)


def _moons(rng):
    rows, _ = datasets.make_moons(1000, noise=0.05, random_state=int(rng.integers(1 << 30)))
    return _mixed(rows, _uniform_around(rows, rng), rng)


def _swiss_roll(rng):
    rows, _ = datasets.make_swiss_roll(1200, noise=0.2, random_state=int(rng.integers(1 << 30)))
    return _mixed(rows, _uniform_around(rows, rng), rng)


def _rare_class(rng):
    rows, target = datasets.make_classification(
        2000, 15, n_informative=8, weights=[0.8], class_sep=1.5, flip_y=0,
        random_state=int(rng.integers(1 << 30)),
    )
    return _classes(rows, target, [0], rng)


def _shells(rng):
    rows, target = datasets.make_gaussian_quantiles(
        n_samples=2000, n_features=6, n_classes=4, random_state=int(rng.integers(1 << 30))
    )
    return _classes(rows, target, [0, 1, 2], rng)


def _bundled(name, normal):
    def build(rng):
        data = getattr(datasets, f"load_{name}")()
        return _classes(data.data, data.target, normal, rng)

    return build


BUILDERS = {
    "breast cancer, benign": _bundled("breast_cancer", [1]),
    "wine, two cultivars": _bundled("wine", [1, 2]),
    "iris, two species": _bundled("iris", [0, 1]),
    "digits, zero to eight": _bundled("digits", list(range(9))),
    "diabetes, broken relation": lambda rng: _broken_relation(datasets.load_diabetes().data, rng),
    "blobs, uniform outliers": _blobs,
    "moons, uniform outliers": _moons,
    "swiss roll, uniform outliers": _swiss_roll,
    "rare class": _rare_class,
    "outer shell": _shells,
    "four factors, broken relation": _factors,
    "heavy tails, shifted": _heavy_tails,
}


def build(name, seed):
    return BUILDERS[name](np.random.default_rng(seed))
