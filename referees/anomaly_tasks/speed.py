"""Speed of the Python peers, each timed on the very arrays that our side gets as files."""

from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

from anomaly_peers import answer, options, save, versions

ROWS, COLUMNS = 100_000, 45


def _seconds(run, times):
    """Median over runs, the first of which also warms up."""
    spent = []
    for _ in range(times):
        start = perf_counter()
        result = run()
        spent.append(perf_counter() - start)
    return float(np.median(spent)), result


def _wide(rng):
    """Two tables of correlated columns; the second shifted a little in a third of them."""
    mixing = rng.normal(size=(8, COLUMNS))
    first = rng.normal(size=(ROWS, 8)) @ mixing + rng.normal(size=(ROWS, COLUMNS))
    second = rng.normal(size=(ROWS, 8)) @ mixing + rng.normal(size=(ROWS, COLUMNS))
    second[:, ::3] += 0.05
    return first, second


def _target(rows, rng):
    """One row in twenty, decided by three columns and some noise at the border."""
    score = rows[:, 0] + 0.8 * np.abs(rows[:, 1]) + 0.6 * rows[:, 2]
    score = score + 0.02 * rng.normal(size=len(rows))
    return (score > np.quantile(score, 0.95)).astype(float)


def _clusters(rng):
    centres = rng.uniform(-10, 10, size=(12, 8))
    inside = centres[rng.integers(12, size=15_600)] + 0.5 * rng.normal(size=(15_600, 8))
    around = rng.uniform(-12, 12, size=(4_400, 8))
    rows = np.vstack([inside, around])
    return rows[rng.permutation(len(rows))]


def _series(rng, count, length=720):
    t = np.arange(length)
    phase = rng.uniform(0, 6.28, size=(count, 1))
    season = 5 * np.sin(2 * np.pi * t / 24 + phase) + 0.01 * t
    return season + rng.normal(size=(count, length))


def _forest(rows, found, times):
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(n_estimators=100, max_samples=256, random_state=0, n_jobs=2)
    found["forest fit"], _ = _seconds(lambda: forest.fit(rows), times)
    found["forest score"], _ = _seconds(lambda: forest.score_samples(rows), times)
    forest.n_jobs = 1
    found["forest one row"], _ = _seconds(
        lambda: [forest.score_samples(rows[i : i + 1]) for i in range(20)], times
    )
    found["forest one row"] /= 20


def _neighbours(rows, found, times):
    from sklearn.cluster import DBSCAN
    from sklearn.neighbors import LocalOutlierFactor

    local = LocalOutlierFactor(n_neighbors=20, novelty=True, n_jobs=2)
    found["lof fit"], _ = _seconds(lambda: local.fit(rows), times)
    found["lof score"], _ = _seconds(lambda: local.score_samples(rows), times)
    clusters = DBSCAN(eps=1.5, min_samples=10, n_jobs=2)
    found["dbscan"], fitted = _seconds(lambda: clusters.fit(rows), times)
    save("dbscan", fitted.labels_)


def _best(run, times):
    """The better of one and two threads: on a busy machine two can be far slower than one."""
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(_seconds(lambda: run(threads), times))
    return min(found, key=lambda pair: pair[0])


def _trees(rows, target, found, facts, times):
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from xgboost import DMatrix

    from .trees import xgboost_of

    def histogram(_):
        model = HistGradientBoostingClassifier(
            max_iter=100, max_leaf_nodes=31, learning_rate=0.1, early_stopping=False
        )
        return model.fit(rows, target)

    ours, first = _best(histogram, times)
    theirs, second = _best(lambda n: xgboost_of().set_params(n_jobs=n).fit(rows, target), times)
    found["trees fit"] = min(ours, theirs)
    facts["peer train AUROC"] = {
        "scikit-learn": roc_auc_score(target, first.predict_proba(rows)[:, 1]),
        "xgboost": roc_auc_score(target, second.predict_proba(rows)[:, 1]),
    }
    one, _ = _best(lambda _: first.predict_proba(rows), times)
    other, _ = _best(lambda n: second.set_params(n_jobs=n).predict_proba(rows), times)
    found["trees predict"] = min(one, other)
    booster, thousand = second.get_booster(), DMatrix(rows[:1000])

    def contributions(threads):
        booster.set_param("nthread", threads)
        return booster.predict(thousand, pred_contribs=True)

    found["tree shap"], _ = _best(contributions, times)


def _autoencoder(rows, found, facts, times):
    from sklearn.neural_network import MLPRegressor

    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)

    def epoch():
        net = MLPRegressor(hidden_layer_sizes=(24, 12, 24), batch_size=256, max_iter=1, random_state=0)
        return net.fit(scaled, scaled)

    found["autoencoder epoch"], net = _seconds(epoch, times)
    facts["peer loss after one epoch"] = net.loss_


def _drift(first, second, found, times):
    from scipy import stats

    def gaps():
        pairs = zip(first.T, second.T)
        return [stats.ks_2samp(a, b, mode="asymp").statistic for a, b in pairs]

    found["ks"], statistics = _seconds(gaps, times)
    save("ks", statistics)

    def stability():
        total = []
        for a, b in zip(first.T, second.T):
            edges = np.quantile(a, np.linspace(0, 1, 11))
            edges[0], edges[-1] = -np.inf, np.inf
            p = (np.histogram(a, edges)[0] + 0.5) / (len(a) + 5)
            q = (np.histogram(b, edges)[0] + 0.5) / (len(b) + 5)
            total.append(((q - p) * np.log(q / p)).sum())
        return total

    found["psi"], values = _seconds(stability, times)
    save("psi", values)


def _seasons(rng, found, times):
    from statsmodels.tsa.seasonal import STL

    plain, robust = _series(rng, 1000), _series(rng, 100)
    save("series.plain", plain)
    save("series.robust", robust)
    found["stl"], fits = _seconds(lambda: [STL(s, period=24).fit() for s in plain], 1)
    save("stl", [fit.resid for fit in fits])
    found["stl robust"], _ = _seconds(
        lambda: [STL(s, period=24, robust=True).fit() for s in robust], 1
    )


def _rolling(rows, found, times):
    import pandas as pd

    frame = pd.DataFrame(rows)

    def scores():
        window = frame.rolling(288)
        return (frame - window.mean()) / window.std()

    found["rolling z"], _ = _seconds(scores, times)


def speed_task():
    times = options["times"]
    rng = np.random.default_rng(0)
    first, second = _wide(rng)
    target = _target(first, rng)
    clusters = _clusters(rng)
    save("first", first)
    save("second", second)
    save("target", target)
    save("clusters", clusters)
    found, facts = {}, {}
    _forest(first, found, times)
    _neighbours(clusters, found, times)
    _trees(first, target, found, facts, times)
    _autoencoder(first, found, facts, times)
    _drift(first, second, found, times)
    _seasons(rng, found, times)
    _rolling(first, found, times)
    packages = ("scikit-learn", "scipy", "statsmodels", "xgboost", "numpy", "pandas")
    answer(seconds=found, facts=facts, versions=versions(*packages))
