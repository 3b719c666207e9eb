"""Boosted trees: folds with xgboost's answers, and exact contributions of xgboost's trees."""

import csv
import json
from math import factorial

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
        "Air temperature",
        "Process temperature",
        "Rotational speed",
        "Torque",
        "Tool wear",
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


def _subset_values(tree, row, present):
    """Expected leaf of one tree for every subset of known columns, float64, by the covers."""
    # The file holds decimals of 32-bit numbers: those are what the model computes with.
    cover = np.array(tree["sum_hessian"], dtype=np.float32).astype(float)

    def value(node):
        left, right = tree["left_children"][node], tree["right_children"][node]
        if left == -1:
            return np.full(len(present), float(np.float32(tree["split_conditions"][node])))
        column = tree["split_indices"][node]
        goes_left = row[column] < np.float32(tree["split_conditions"][node])
        if np.isnan(row[column]):
            goes_left = bool(tree["default_left"][node])
        one, other = value(left), value(right)
        # As xgboost: shares of the node's own cover, which rounding keeps a little off their sum.
        unknown = (cover[left] * one + cover[right] * other) / cover[node]
        return np.where(present[:, column], one if goes_left else other, unknown)

    return value(0)


def _by_enumeration(model, rows):
    """Shapley values from their definition: every subset of columns, no clever algorithm."""
    width = rows.shape[1]
    present = (np.arange(2**width)[:, None] >> np.arange(width)) & 1 == 1
    sizes = present.sum(axis=1)
    weights = np.array(
        [factorial(s) * factorial(width - s - 1) / factorial(width) for s in range(width)]
    )
    trees = model["learner"]["gradient_booster"]["model"]["trees"]
    found = np.zeros((len(rows), width))
    for number, row in enumerate(rows):
        worth = sum(_subset_values(tree, row, present) for tree in trees)
        for column in range(width):
            without = np.flatnonzero(~present[:, column])
            gain = worth[without + 2**column] - worth[without]
            found[number, column] = (weights[sizes[without]] * gain).sum()
    return found


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
        path = folder / f"x{number}.json"
        booster.save_model(str(path))
        chosen = DMatrix(rows[:300])
        save(f"x{number}.rows", rows[:300])
        save(f"x{number}.contributions", booster.predict(chosen, pred_contribs=True))
        save(f"x{number}.margins", booster.predict(chosen, output_margin=True))
        if rows.shape[1] <= 10:
            save(f"x{number}.exact", _by_enumeration(json.loads(path.read_text()), rows[:100]))
    answer(names=NAMES, versions=versions("xgboost"))
