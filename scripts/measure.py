"""Measures what README.md claims; see scripts/measure."""
import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ["LIMBECK_TEST_DATA"]).resolve()
CIFAR = {"mean": [0.4914, 0.4822, 0.4465], "std": [0.2470, 0.2435, 0.2616]}
LITE0 = {"classes": str(DATA / "imagenet/synsets.txt"), "crop": [224, 224],
         "mean": [127 / 255] * 3, "std": [128 / 255] * 3}


def images(path, extra):
    return {"version": 1, "kind": "images", "path": str(DATA / path), "input": "image", **extra}


def fashion(split):
    return str(ROOT / f"tests/data/fashion_mnist_{split}.json")


# name, model, calibration data, evaluation data, calibration samples
MODELS = [
    ("Fashion-MNIST CNN", ROOT / "tests/data/fashion_mnist_cnn.onnx", fashion("train"), fashion("test"), 512),
    ("CIFAR-10 ResNet-20", DATA / "models/cifar10_resnet20.onnx", images("cifar10/train.zip", CIFAR),
     images("cifar10/test.zip", CIFAR), 512),
    ("CIFAR-10 MobileNetV2", DATA / "models/cifar10_mobilenetv2.onnx", images("cifar10/train.zip", CIFAR),
     images("cifar10/test.zip", CIFAR), 512),
    ("EfficientNet-lite0", DATA / "models/efficientnet_lite0.onnx", images("imagenet/calib.zip", LITE0),
     images("imagenet/eval.zip", LITE0), 250),
]
FORMATS = [("int8", []), ("W4A8", ["--weights", "int4"])]


def run(command):
    """Wall seconds and peak MiB of a command; its standard output."""
    start = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed with exit code {process.returncode}")
    return time.monotonic() - start, usage.ru_maxrss / 1024, output


def description(folder, name, content):
    if isinstance(content, str):
        return content
    path = folder / name
    path.write_text(json.dumps(content))
    return str(path)


def measure(folder, name, model, calibration, evaluation, samples, options, label, threads):
    train = description(folder, "train.json", calibration)
    test = description(folder, "test.json", evaluation)
    base = [str(ROOT / "build/limbeck"), "quantize", str(model), "--data", train, "--samples", str(samples), "--quiet",
            "--threads", str(threads), *options]
    seconds, memory, _ = run([*base, "--no-report", "-o", str(folder / "timed")])
    _, _, output = run([*base, "--eval", test, "--json", "-o", str(folder / "measured")])
    result = json.loads(output)
    head = result["headline"]
    return {"model": name, "format": label, "fp32": head["reference_top1"], "top1": head["top1"],
            "agreement": head["agreement"], "fp32_kb": result["reference_bytes"] / 1024,
            "kb": result["model_bytes"] / 1024, "seconds": seconds, "mib": memory}


ORT_SCRIPT = '''
import sys, time, json, resource
import numpy as np
from onnxruntime.quantization import quantize_static, CalibrationDataReader, QuantFormat, QuantType, CalibrationMethod
from onnxruntime.quantization.shape_inference import quant_pre_process
model, data, out = sys.argv[1:4]
images = np.load(data)
class Reader(CalibrationDataReader):
    def __init__(self): self.it = iter([{"image": images[i:i + 1]} for i in range(len(images))])
    def get_next(self): return next(self.it, None)
quant_pre_process(model, out + ".pre", skip_symbolic_shape=True)
start = time.monotonic()
quantize_static(out + ".pre", out, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax)
print(json.dumps({"seconds": time.monotonic() - start, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
'''


def images_of(description, names):
    """Pictures of an archive as float arrays, decoded here for another program."""
    import io
    import zipfile
    import numpy as np
    from PIL import Image
    archive = zipfile.ZipFile(description["path"])
    mean, std = np.float32(description["mean"]), np.float32(description["std"])
    arrays = []
    for name in names:
        picture = Image.open(io.BytesIO(archive.read(name))).convert("RGB")
        if "crop" in description:
            height, width = description["crop"]
            left, top = (picture.width - width) // 2, (picture.height - height) // 2
            picture = picture.crop((left, top, left + width, top + height))
        arrays.append(((np.asarray(picture, np.float32) / 255 - mean) / std).transpose(2, 0, 1))
    return arrays


def image_names(description):
    import zipfile
    names = zipfile.ZipFile(description["path"]).namelist()
    return sorted(name for name in names if name.lower().endswith((".jpg", ".jpeg", ".png")))


def calibration_images(folder, calibration, samples):
    """The first samples as one array, decoded here so that only the quantizing is timed for the peer."""
    import numpy as np
    names = image_names(calibration)
    chosen = np.random.default_rng(1).permutation(len(names))[:samples]
    path = folder / "calibration.npy"
    np.save(path, np.stack(images_of(calibration, [names[index] for index in chosen])))
    return path


def measure_ort(folder, name, model, calibration, evaluation, samples):
    data = calibration_images(folder, calibration, samples)
    emitted = folder / "ort.onnx"
    _, _, output = run([sys.executable, "-c", ORT_SCRIPT, str(model), str(data), str(emitted)])
    timing = json.loads(output.splitlines()[-1])
    test = description(folder, "test.json", evaluation)
    _, _, output = run([str(ROOT / "build/limbeck"), "evaluate", str(emitted), "--reference", str(model), "--data", test,
                        "--json", "--quiet"])
    metrics = json.loads(output)["metrics"]
    return {"model": name, "format": "ORT MinMax int8", "fp32": None, "top1": metrics["top1"],
            "agreement": metrics["agreement"], "fp32_kb": model.stat().st_size / 1024,
            "kb": emitted.stat().st_size / 1024, "seconds": timing["seconds"], "mib": timing["mib"]}


def decoded(description):
    """All samples of a data set and their labels."""
    import gzip
    import numpy as np
    if isinstance(description, str):
        idx = json.loads(pathlib.Path(description).read_text())
        pixels = np.frombuffer(gzip.open(idx["path"]).read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
        labels = np.frombuffer(gzip.open(idx["labels"]).read(), np.uint8, offset=8)
        return (pixels.astype(np.float32) / 255 - np.float32(idx["mean"][0])) / np.float32(idx["std"][0]), labels
    names = image_names(description)
    if "classes" in description:
        classes = [line.split()[0] for line in pathlib.Path(description["classes"]).read_text().splitlines()]
    else:
        classes = sorted({name.split("/")[-2] for name in names})
    return images_of(description, names), np.array([classes.index(name.split("/")[-2]) for name in names])


def runtime_top1(emitted, images, labels, exact):
    """Top-1 in percent, and seconds, of a file in ONNX Runtime with 2 threads."""
    import numpy as np
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    if exact:
        options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(str(emitted), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    start = time.monotonic()
    found = [session.run(None, {name: np.stack(images[i:i + 50])})[0].argmax(1) for i in range(0, len(images), 50)]
    return 100 * float(np.mean(np.concatenate(found) == labels)), time.monotonic() - start


def runtime_rows(folder, name, model, calibration, evaluation, samples):
    """The same codes in three forms, in ONNX Runtime as this CPU runs them by default, beside limbeck's own engine."""
    images, labels = decoded(evaluation)
    for label, options in (("default (int8 weights)", []), ("--weights uint8", ["--weights", "uint8"]),
                           ("--activations int8", ["--activations", "int8"])):
        output = folder / label.split()[-1].strip(")-")
        train = description(folder, "train.json", calibration)
        test = description(folder, "test.json", evaluation)
        _, _, text = run([str(ROOT / "build/limbeck"), "quantize", str(model), "--data", train, "--samples", str(samples),
                          "--eval", test, "--quiet", "--json", "-o", str(output), *options])
        native = json.loads(text)["headline"]["top1"]
        emitted = next(output.glob("*.int8.onnx"))
        default, seconds = runtime_top1(emitted, images, labels, False)
        exact, exact_seconds = runtime_top1(emitted, images, labels, True)
        print(f"| {name} | {label} | {native:.2f} | {default:.2f} ({seconds:.1f} s) | {exact:.2f} ({exact_seconds:.1f} s) |",
              flush=True)


def print_table(rows):
    print("| model | format | top-1 % (FP32) | agreement % | size KiB (FP32) | quantize s | peak MiB |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        fp32 = "" if row["fp32"] is None else f" ({row['fp32']:.2f})"
        print(f"| {row['model']} | {row['format']} | {row['top1']:.2f}{fp32} | {row['agreement']:.2f} | {row['kb']:.0f} "
              f"({row['fp32_kb']:.0f}) | {row['seconds']:.2f} | {row['mib']:.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="", help="only models whose name contains this")
    parser.add_argument("--ort", action="store_true", help="also ONNX Runtime's quantize_static")
    parser.add_argument("--runtime", action="store_true",
                        help="instead: top-1 of emitted files in ONNX Runtime, with its default kernels and exact ones")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    if options.runtime:
        print("| model | form | limbeck's engine | ONNX Runtime, default | with session.x64quantprecision=1 |\n"
              "|---|---|---|---|---|", flush=True)
    for name, model, calibration, evaluation, samples in MODELS:
        if options.models.lower() not in name.lower():
            continue
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            if options.runtime:
                runtime_rows(folder, name, model, calibration, evaluation, samples)
                continue
            for label, extra in FORMATS:
                rows.append(measure(folder, name, model, calibration, evaluation, samples, extra, label, options.threads))
            if options.ort and not isinstance(calibration, str):
                row = measure_ort(folder, name, pathlib.Path(model), calibration, evaluation, samples)
                rows.append(row)
    if not options.runtime:
        print(json.dumps(rows, indent=2)) if options.json else print_table(rows)


if __name__ == "__main__":
    main()
