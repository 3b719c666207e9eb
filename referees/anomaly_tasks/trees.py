"""Boosted trees: folds with xgboost's answers, and exact contributions of xgboost's trees."""

import csv

import numpy as np
from sklearn import datasets
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from anomaly_peers import answer, folder, options, save, versions


def ai4i(path):
    """Type as L, M, H = 0, 1, 2, and the five readings, as they stand in the file."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        lines = list(csv.DictReader(file))
    readings = [
        "Air temperature [K]",
        "Process temperature [K]",
        "Rotational speed [rpm]",
        "Torque [Nm]",
        "Tool wear [min]",
    ]
    kinds = {"L": 0, "M": 1, "H": 2}
    rows = [[kinds[line["Type"]], *(float(line[name]) for name in readings)] for line in lines]
    return np.array(rows), np.array([float(line["Machine failure"]) for line in lines])


def labelled(name):
    if name == "breast cancer":
        return datasets.load_breast_cancer(return_X_y=True)
    if name == "digits, eight or not":
        rows, target = datasets.load_digits(return_X_y=True)
        return rows, (target == 8).astype(float)
    if name == "diabetes, above the median":
        rows, target = datasets.load_diabetes(return_X_y=True)
        return rows, (target > np.median(target)).astype(float)
    if name == "rare class":
        return datasets.make_classification(
            6000, 20, n_informative=8, n_redundant=4, weights=[0.93], random_state=1
        )
    rows, target = datasets.make_hastie_10_2(6000, random_state=1)
    return rows, (target > 0).astype(float)


NAMES = [
    "breast cancer",
    "digits, eight or not",
    "diabetes, above the median",
    "rare class",
    "hastie 10.2",
]


def xgboost_of(seed=0, rounds=100):
    from xgboost import XGBClassifier

    return XGBClassifier(
        n_estimators=rounds, learning_rate=0.1, max_leaves=31, max_depth=0,
        grow_policy="lossguide", tree_method="hist", random_state=seed, n_jobs=2,
    )


def folds_task():
    """Tables, the fold of every row per repeat, and xgboost's probabilities out of fold."""
    tables = {"ai4i 2020": (ai4i(options["ai4i"]), 3)}
    tables |= {name: (labelled(name), 1) for name in NAMES}
    found = {}
    for number, (name, ((rows, labels), repeats)) in enumerate(tables.items()):
        save(f"f{number}.rows", rows)
        save(f"f{number}.labels", labels)
        folds = np.zeros((repeats, len(labels)))
        peer = np.zeros((repeats, len(labels)))
        scores = []
        for repeat in range(repeats):
            splits = StratifiedKFold(5, shuffle=True, random_state=repeat)
            for fold, (train, test) in enumerate(splits.split(rows, labels)):
                model = xgboost_of().fit(rows[train], labels[train])
                folds[repeat, test] = fold
                peer[repeat, test] = model.predict_proba(rows[test])[:, 1]
                scores.append(
                    (
                        roc_auc_score(labels[test], peer[repeat, test]),
                        average_precision_score(labels[test], peer[repeat, test]),
                    )
                )
        save(f"f{number}.folds", folds)
        auroc, precision = np.mean(scores, axis=0)
        found[name] = {"auroc": auroc, "averagePrecision": precision, "repeats": repeats}
    answer(found=found, versions=versions("xgboost", "scikit-learn"))


def contributions_task():
    """Models of xgboost as JSON with its own exact contributions, also with missing cells."""
    from xgboost import DMatrix

    for number, name in enumerate(NAMES):
        rows, labels = labelled(name)
        rows = rows.copy()
        if number % 2:
            rows[np.random.default_rng(number).random(rows.shape) < 0.1] = np.nan
        # xgboost splits in float32: cells that are exact there fall on the same side here.
        rows = rows.astype(np.float32)
        booster = xgboost_of(rounds=50).fit(rows, labels).get_booster()
        booster.save_model(str(folder / f"x{number}.json"))
        chosen = DMatrix(rows[:300])
        save(f"x{number}.rows", rows[:300])
        save(f"x{number}.contributions", booster.predict(chosen, pred_contribs=True))
        save(f"x{number}.margins", booster.predict(chosen, output_margin=True))
    answer(names=NAMES, versions=versions("xgboost"))
