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


def calibration_images(folder, calibration, samples):
    """The first samples as one array, decoded here so that only the quantizing is timed for the peer."""
    import io
    import zipfile
    import numpy as np
    try:
        from PIL import Image
    except ImportError:
        return None
    archive = zipfile.ZipFile(calibration["path"])
    names = sorted(n for n in archive.namelist() if n.lower().endswith((".jpg", ".jpeg", ".png")))
    chosen = np.random.default_rng(1).permutation(len(names))[:samples]
    mean, std = np.float32(calibration["mean"]), np.float32(calibration["std"])
    arrays = []
    for index in chosen:
        picture = Image.open(io.BytesIO(archive.read(names[index]))).convert("RGB")
        if "crop" in calibration:
            height, width = calibration["crop"]
            left, top = (picture.width - width) // 2, (picture.height - height) // 2
            picture = picture.crop((left, top, left + width, top + height))
        arrays.append((np.asarray(picture, np.float32) / 255 - mean) / std)
    path = folder / "calibration.npy"
    np.save(path, np.stack(arrays).transpose(0, 3, 1, 2))
    return path


def measure_ort(folder, name, model, calibration, evaluation, samples):
    data = calibration_images(folder, calibration, samples)
    if data is None:
        return None
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
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    for name, model, calibration, evaluation, samples in MODELS:
        if options.models.lower() not in name.lower():
            continue
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            for label, extra in FORMATS:
                rows.append(measure(folder, name, model, calibration, evaluation, samples, extra, label, options.threads))
            if options.ort and not isinstance(calibration, str):
                row = measure_ort(folder, name, pathlib.Path(model), calibration, evaluation, samples)
                rows.extend([row] if row else [])
    print(json.dumps(rows, indent=2)) if options.json else print_table(rows)


if __name__ == "__main__":
    main()
