"""Row detectors: what scikit-learn, scipy and PyOD say about the twelve tables."""

import numpy as np
from scipy import stats
from sklearn.cluster import DBSCAN, KMeans, kmeans_plusplus
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
from sklearn.neural_network import MLPRegressor

from anomaly_peers import answer, folder, load, options, save, versions

from .tables import BUILDERS, build

NEIGHBOURS = 20


def _tied(reference, rows, count):
    """Rows whose k-th neighbour is not unique, or who have such a row among their neighbours."""
    own = NearestNeighbors(n_neighbors=count + 2).fit(reference)
    inside, _ = own.kneighbors(reference)
    # The row itself is the first of its neighbours; duplicates of it come with distance 0.
    inside_tied = np.isclose(inside[:, count], inside[:, count + 1], rtol=1e-9, atol=1e-12)
    outside, index = own.kneighbors(rows, n_neighbors=count + 1)
    tied = np.isclose(outside[:, count - 1], outside[:, count], rtol=1e-9, atol=1e-12)
    return tied | inside_tied[index[:, :count]].any(axis=1)


def _table(number, seed, rows, labels):
    key = f"t{number}s{seed}"
    found = {}
    train, test = rows[0::2], rows[1::2]
    count = min(NEIGHBOURS, len(train) - 2)
    distances, _ = NearestNeighbors(n_neighbors=count).fit(train).kneighbors(test)
    save(f"{key}.knn", distances.mean(axis=1))
    local = LocalOutlierFactor(n_neighbors=count, novelty=True).fit(train)
    save(f"{key}.lof", -local.score_samples(test))
    save(f"{key}.tied", _tied(train, test, count))
    reach, _ = NearestNeighbors(n_neighbors=10).fit(rows).kneighbors(rows)
    # A little above a distance that occurs, so that no pair lies exactly on the border.
    found["radius"] = float(np.quantile(reach[:, -1], 0.8) * (1 + 1e-7))
    save(f"{key}.dbscan", DBSCAN(eps=found["radius"], min_samples=10).fit(rows).labels_)
    pca = PCA(svd_solver="full").fit(rows)
    save(f"{key}.components", pca.components_)
    save(f"{key}.variances", pca.explained_variance_)
    centres, _ = kmeans_plusplus(rows, 5, random_state=seed)
    save(f"{key}.centres", centres)
    found["inertia"] = float(KMeans(5, init=centres, n_init=1).fit(rows).inertia_)
    save(
        f"{key}.ks",
        [stats.ks_2samp(a, b, mode="asymp").statistic for a, b in zip(train.T, test.T)],
    )
    save(
        f"{key}.wasserstein",
        [stats.wasserstein_distance(a, b) for a, b in zip(train.T, test.T)],
    )
    forest = IsolationForest(n_estimators=100, random_state=seed).fit(rows)
    found["isolation_forest"] = roc_auc_score(labels, -forest.score_samples(rows))
    return found


def _pyod(key, rows, labels):
    from pyod.models.ecod import ECOD
    from pyod.models.hbos import HBOS

    scores = {"hbos": HBOS(), "ecod": ECOD()}
    found = {}
    for name, model in scores.items():
        values = model.fit(rows).decision_scores_
        save(f"{key}.{name}", values)
        found[name] = roc_auc_score(labels, values)
    return found


def tables_task():
    """The tables alone, for tasks that need no peer's scores."""
    for number, name in enumerate(BUILDERS):
        for seed in options["seeds"]:
            rows, labels = build(name, seed)
            save(f"t{number}s{seed}.rows", rows)
            save(f"t{number}s{seed}.labels", labels)
    answer(names=list(BUILDERS))


def detectors_task():
    found = {}
    for number, name in enumerate(BUILDERS):
        for seed in options["seeds"]:
            key = f"t{number}s{seed}"
            rows, labels = build(name, seed)
            save(f"{key}.rows", rows)
            save(f"{key}.labels", labels)
            found[key] = _table(number, seed, rows, labels) | _pyod(key, rows, labels)
    answer(names=list(BUILDERS), found=found, versions=versions("scikit-learn", "scipy", "pyod"))


class _Started(MLPRegressor):
    """scikit-learn's network with given weights and biases instead of drawn ones."""

    def _init_coef(self, fan_in, fan_out, dtype):
        return tuple(part.astype(dtype) for part in self.start_.pop(0))


def _network(job, start):
    net = _Started(
        hidden_layer_sizes=job["layers"][1:-1], batch_size=64, alpha=1e-4,
        max_iter=options["epochs"], tol=0, n_iter_no_change=10**6,
        shuffle=start is None, random_state=job["seed"],
    )
    if start is None:
        return MLPRegressor(**net.get_params())
    net.start_ = start
    return net


def autoencoders_task():
    """Mean squared error of scikit-learn's network on the standardised table it was fitted on:
    from our weights with rows in their order, and from its own with rows shuffled."""
    found = {}
    for job in options["jobs"]:
        key, layers = job["key"], job["layers"]
        rows = load(f"{key}.cells", -1, layers[0])
        scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
        start = [
            (load(f"{key}.weights{i}", *pair), load(f"{key}.biases{i}", pair[1]))
            for i, pair in enumerate(zip(layers, layers[1:]))
        ]
        losses = []
        for net in (_network(job, start), _network(job, None)):
            restored = net.fit(scaled, scaled).predict(scaled)
            losses.append(float(((restored - scaled) ** 2).mean()))
        found[key] = {"fromOurs": losses[0], "fromOwn": losses[1]}
    answer(found=found, versions=versions("scikit-learn"))


def lstm_task():
    """Losses of an LSTM autoencoder in numpy that starts from the given parameters."""
    from .lstm import train

    shape = options["shape"]
    windows = load("windows", -1, shape["steps"], shape["channels"])
    answer(losses=train(windows, folder, shape, options))
