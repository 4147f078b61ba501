"""Stands in for ``dsct train``: takes its words, writes its files, needs a tenth of a second.

* A file ``break_<host>`` in the folder of the sweep makes that host fail.
* A file ``slow`` in it makes every iteration last a second. SIGTERM saves and ends it, as it does a real training.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

ITERATIONS = 4
ACCURACY = {"dino": 0.5, "deformable_detr": 0.6}


def main(words: list[str]) -> int:
    values = dict(word.split("=", 1) for word in words if "=" in word)
    folder, host, seed = Path(values["train.output_dir"]), values["host.name"], int(values["train.seed"])
    sweep = folder.parents[1]
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "last.pth"
    done = int(checkpoint.read_text()) if "--resume" in words else 0
    with (sweep / "calls.txt").open("a") as file:
        file.write(f"{host} {seed} from {done}\n")
    print("threads", os.environ["OMP_NUM_THREADS"], flush=True)
    if (sweep / f"break_{host}").exists():
        print("error: Training stopped: loss_class is nan in iteration 1.\n", file=sys.stderr)
        return 2
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stop.append(number))
    with (folder / "metrics.jsonl").open("a" if done else "w") as file:
        for iteration in range(done + 1, ITERATIONS + 1):
            file.write(json.dumps({"iteration": iteration, "total_loss": 2.0, "time": 0.5}) + "\n")
            file.flush()
            until = time.monotonic() + 1.0
            while time.monotonic() < until and not stop and (sweep / "slow").exists():
                time.sleep(0.01)
            if stop:
                checkpoint.write_text(str(iteration))
                return 130
    checkpoint.write_text(str(ITERATIONS))
    finish(folder, ACCURACY[host] + 0.02 * seed)
    return 0


def finish(folder: Path, accuracy: float) -> None:
    """The files of a finished training."""
    parameters = {"total": 2_000_000, "trainable": 1_500_000}
    environment = {"device": "cpu", "threads": 1, "platform": "testland", "packages": {"torch": "9.9"}}
    write(folder / "evaluation.json", report(accuracy))
    write(folder / "environment.json", environment)
    write(folder / "summary.json", {"iterations": ITERATIONS, "seconds": 2.0, "parameters": parameters})


def report(accuracy: float) -> dict[str, Any]:
    return {
        "primary_metric": "acc",
        "metrics": {"acc": accuracy, "mAP": 0.3, "recall50": 0.75, "mean_iou": 0.6},
        "references": {"chance": 0.145, "face_only": 0.498, "everything": 0.856},
        "counts": {"people": 1234, "images": 500},
        "dataset": {"name": "synthetic", "description": "drawn scenes"},
        "protocol": {"name": "paper", "sentence": "NMS, then the largest overlap"},
        "by_count": [
            {"group": "1", "images": 300, "people": 300, "acc": accuracy + 0.1, "mAP": 0.4},
            {"group": "2", "images": 200, "people": 400, "acc": accuracy - 0.1, "mAP": 0.2},
            {"group": "5plus", "images": 0, "people": 0, "acc": None, "mAP": None},
        ],
        "warnings": [],
    }


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
