"""Answers of the Python peers of @isotherm/anomaly.

    python anomaly_peers.py TASK FOLDER [JSON]

Reads and writes matrices as raw little-endian float64 files in FOLDER, row-major, and prints one
line of JSON: their shapes and whatever else the task found. verify/anomaly/peers.ts calls it.
"""

import json
import sys
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")
folder = Path(sys.argv[2])
options = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
shapes = {}


def save(name, array):
    array = np.ascontiguousarray(array, dtype="<f8")
    array.tofile(folder / f"{name}.f64")
    shapes[name] = list(array.shape)


def load(name, *shape):
    return np.fromfile(folder / f"{name}.f64", dtype="<f8").reshape(shape)


def versions(*packages):
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "missing"
    return found


def answer(**more):
    print(json.dumps({"shapes": shapes, **more}))


def main():
    from anomaly_tasks import detectors, series, speed, trees

    tasks = {
        "tables": detectors.tables_task,
        "detectors": detectors.detectors_task,
        "autoencoders": detectors.autoencoders_task,
        "lstm": detectors.lstm_task,
        "series": series.series_task,
        "folds": trees.folds_task,
        "contributions": trees.contributions_task,
        "speed": speed.speed_task,
    }
    tasks[sys.argv[1]]()


if __name__ == "__main__":
    sys.modules["anomaly_peers"] = sys.modules["__main__"]
    main()
