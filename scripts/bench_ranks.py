"""Times training steps of `limbeck distill` on one MPI rank and on several, one thread each, turn by turn, and prints the
ratios (2: two ranks need half the time). A step's time is the difference of a long and a short run, so that starting up and
measuring the result count on neither side. Unrelated runs of one rank each, all at once, show what the machine itself gives to
several busy cores: virtual machines often have less than their number. Called by scripts/bench --ranks."""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile
import time

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMBECK = ROOT / "build" / "limbeck"
MODELS = ["cifar10_resnet20", "cifar10_mobilenetv2"]


def write_data(folder, samples):
    """Noise with labels: only the time is of interest."""
    random = numpy.random.default_rng(1)
    numpy.savez(folder / "noise.npz", image=random.standard_normal((samples, 3, 32, 32), numpy.float32),
                label=random.integers(0, 10, samples))
    description = {"version": 1, "kind": "npz", "path": "noise.npz", "inputs": ["image"], "label": "label"}
    (folder / "noise.json").write_text(json.dumps(description))


def start(model, folder, name, ranks, epochs, batch):
    recipe = {"version": 1, "losses": [{"loss": "label_cross_entropy", "weight": 1}], "optimizer": {"method": "sgd"},
              "schedule": {"kind": "constant", "learning_rate": 0.0001}, "epochs": epochs, "batch": batch,
              "validation": {"share": 0}}
    (folder / f"{name}.json").write_text(json.dumps(recipe))
    root = ["--allow-run-as-root"] if os.geteuid() == 0 else []  # a container's only user; Open MPI wants to be told
    return subprocess.Popen(
        ["mpirun", *root, "--bind-to", "none", "-np", str(ranks), LIMBECK, "distill", "--student", model, "--data",
         folder / "noise.json", "--eval", folder / "noise.json", "--recipe", folder / f"{name}.json", "--threads", "1",
         "--quiet", "-o", folder / name], stdout=subprocess.DEVNULL)


def seconds_of(model, folder, jobs, ranks, epochs, batch):
    begin = time.perf_counter()
    running = [start(model, folder, f"out{job}", ranks, epochs, batch) for job in range(jobs)]
    if any([process.wait() for process in running]):
        raise SystemExit("limbeck distill failed under mpirun")
    return time.perf_counter() - begin


def step_ms(model, folder, jobs, ranks, options):
    short = seconds_of(model, folder, jobs, ranks, 1, options.batch)
    long = seconds_of(model, folder, jobs, ranks, 1 + options.epochs, options.batch)
    return 1000 * (long - short) / (options.epochs * options.steps)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=MODELS, help="stems")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--steps", type=int, default=25, help="steps of an epoch; short ones favour one rank")
    parser.add_argument("--epochs", type=int, default=1, help="epochs that the long run has more")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each")
    options = parser.parse_args()
    models = pathlib.Path(os.environ["LIMBECK_TEST_DATA"]) / "models"
    print(f"training step, batch {options.batch}, one thread a rank: fastest of {options.rounds} turns, ms", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_data(folder, options.steps * options.batch)
        for stem in options.models:
            alone, together, unrelated = [], [], []
            for _ in range(options.rounds):
                alone.append(step_ms(models / f"{stem}.onnx", folder, 1, 1, options))
                together.append(step_ms(models / f"{stem}.onnx", folder, 1, options.ranks, options))
                unrelated.append(step_ms(models / f"{stem}.onnx", folder, options.ranks, 1, options))
            print(f"{stem:20s} 1 rank {min(alone):7.1f}  {options.ranks} ranks {min(together):7.1f}  "
                  f"ratio {min(alone) / min(together):.2f}  the machine's own limit "
                  f"{options.ranks * min(alone) / min(unrelated):.2f}", flush=True)


if __name__ == "__main__":
    main()
