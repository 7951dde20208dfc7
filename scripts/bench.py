"""Times every model in limbeck's engine and in ONNX Runtime, turn by turn, and prints the ratios (below 1: limbeck is
faster). Called by scripts/bench."""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMBECK = ROOT / "build" / "limbeck"
# Dimensions of one sample for models that leave them open.
OPEN_SHAPES = {"ch_ppocr_mobile_v2.0_cls_infer": [3, 48, 192]}


def pattern(shape):
    """The inputs of `limbeck bench`: a fixed ramp."""
    count = math.prod(shape)
    return ((numpy.arange(count) * 37 % 251) / 125.0 - 1.0).astype(numpy.float32).reshape(shape)


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def sample_shape(path):
    dims = session(path, 1).get_inputs()[0].shape
    known = OPEN_SHAPES.get(path.stem, [])
    return [d if isinstance(d, int) else known[i] for i, d in enumerate(dims[1:])]


def quantized(path, shape, folder):
    """The int8 file that `limbeck quantize` emits. Only its speed matters here, so that it is calibrated on noise."""
    numpy.save(folder / f"{path.stem}.npy", numpy.random.default_rng(1).normal(size=[16, *shape]).astype(numpy.float32))
    name = session(path, 1).get_inputs()[0].name
    description = {"version": 1, "kind": "npy", "path": f"{path.stem}.npy", "input": name}
    (folder / f"{path.stem}.json").write_text(json.dumps(description))
    command = [LIMBECK, "quantize", path, "--data", folder / f"{path.stem}.json", "--samples", "16", "--no-report",
               "--quiet", "-o", folder / path.stem]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return next((folder / path.stem).glob("*.int8.onnx"))


def time_limbeck(path, shape, batch, threads, seconds):
    command = [LIMBECK, "bench", path, "--batch", str(batch), "--threads", str(threads), "--seconds", str(seconds),
               "--shape", ",".join(map(str, shape)), "--json"]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return result["median_ms"], result["fastest_ms"]


def time_onnxruntime(runner, inputs, seconds):
    for _ in range(2):
        runner.run(None, inputs)
    times = []
    start = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < seconds:
        begin = time.perf_counter()
        runner.run(None, inputs)
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times), min(times)


def measure(path, shape, batch, threads, options):
    runner = session(path, threads)
    inputs = {runner.get_inputs()[0].name: pattern([batch, *shape])}
    ours, theirs = [], []
    for _ in range(options.rounds):
        ours.append(time_limbeck(path, shape, batch, threads, options.seconds))
        theirs.append(time_onnxruntime(runner, inputs, options.seconds))
    column = 1 if options.fastest else 0
    pick = min if options.fastest else statistics.median
    return pick([t[column] for t in ours]), pick([t[column] for t in theirs])


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=[], help="stems; default: every model of the folder")
    parser.add_argument("--threads", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--batches", nargs="*", type=int, default=[1, 32])
    parser.add_argument("--kinds", nargs="*", choices=["float", "int8"], default=["float", "int8"])
    parser.add_argument("--rounds", type=int, default=3, help="turns of each engine")
    parser.add_argument("--seconds", type=float, default=0.5, help="length of one turn")
    parser.add_argument("--fastest", action="store_true", help="fastest run instead of the median: for busy machines")
    parser.add_argument("--keep", type=pathlib.Path, help="folder that keeps the int8 files between runs")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


def collect(options, folder):
    rows = []
    models = sorted((pathlib.Path(os.environ["LIMBECK_TEST_DATA"]) / "models").glob("*.onnx"))
    for path in models:
        if options.models and path.stem not in options.models:
            continue
        shape = sample_shape(path)
        kept = folder / path.stem / f"{path.stem}.int8.onnx"
        for kind in options.kinds:
            file = path
            if kind == "int8":
                file = kept if kept.exists() else quantized(path, shape, folder)
            for threads in options.threads:
                for batch in options.batches:
                    ours, theirs = measure(file, shape, batch, threads, options)
                    rows.append({"model": path.stem, "kind": kind, "threads": threads, "batch": batch,
                                 "limbeck_ms": ours, "onnxruntime_ms": theirs, "ratio": ours / theirs})
                    print(f"{path.stem[:26]:26} {kind:5} {threads:7} {batch:5} {ours:11.3f} {theirs:14.3f} "
                          f"{ours / theirs:6.2f}", file=sys.stderr if options.json else sys.stdout, flush=True)
    return rows


def main():
    options = parse_arguments()
    print(f"{'model':26} {'kind':5} {'threads':7} {'batch':5} {'limbeck ms':>11} {'onnxruntime ms':>14} {'ratio':>6}",
          file=sys.stderr if options.json else sys.stdout)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows = collect(options, folder)
    means = {kind: geometric_mean([row["ratio"] for row in rows if row["kind"] == kind]) for kind in options.kinds}
    means["all"] = geometric_mean([row["ratio"] for row in rows])
    if options.json:
        print(json.dumps({"onnxruntime": onnxruntime.__version__, "rows": rows, "geometric_mean": means}, indent=2))
    else:
        print("geometric mean: " + ", ".join(f"{kind} {value:.2f}" for kind, value in means.items()))


if __name__ == "__main__":
    main()
