"""Do other people's programs accept and run the emitted files, with the results of the native engine?

For every model and every form (QDQ int8, QOperator, dynamic, 16-bit activations, 4-bit weights, uint8 weights): the onnx checker
accepts the file, ONNX Runtime loads it, and both runtimes agree on the same inputs.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FORMS = {
    "qdq": ([], "int8"),
    "qoperator": (["--format", "qoperator"], "qoperator"),
    "dynamic": (["--dynamic"], "dynamic"),
    "int16": (["--activations", "int16"], "w8a16"),
    "w4a8": (["--weights", "int4"], "w4a8"),
    "uint8": (["--weights", "uint8"], "int8"),
}
POINTS = 0.1  # largest difference of top-1 between the runtimes, in percent points
MICRO_BATCH = 8  # the native engine's; a dynamic model's ranges are those of the batch
failures = []


@dataclass
class Case:
    name: str
    model: pathlib.Path
    calibration: str  # JSON description
    evaluation: str
    samples: int
    calibrate_on: int = 256
    labels: bool = True
    forms: tuple = tuple(FORMS)


def check(condition, text):
    print(("ok    " if condition else "FAIL  ") + text, flush=True)
    if not condition:
        failures.append(text)


def session(model, form):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 2
    # CPUs without VNNI multiply uint8 by int8 into saturating 16-bit sums. The comparison is about the file, not
    # about such a CPU, so ONNX Runtime is asked for the exact kernels. Unsigned weights exist to need no asking.
    if form != "uint8":
        options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(str(model) if isinstance(model, pathlib.Path) else model, options,
                                        providers=["CPUExecutionProvider"])


def run_ort(ort, data, batch):
    name = ort.get_inputs()[0].name
    return np.concatenate([ort.run(None, {name: data[i:i + batch]})[0] for i in range(0, len(data), batch)])


def quantize(args, case, form, folder):
    flags, suffix = FORMS[form]
    data = [] if form == "dynamic" else ["--data", case.calibration, "--samples", str(case.calibrate_on)]
    command = [args.limbeck, "quantize", str(case.model), "--no-report", "--quiet", "-o", str(folder / form), *data,
               *flags]
    result = subprocess.run(command, capture_output=True, text=True)
    emitted = folder / form / f"{case.model.stem}.{suffix}.onnx"
    check(result.returncode == 0 and emitted.exists(), f"{case.name} {form}: limbeck writes {emitted.name} "
          + result.stderr.strip())
    return emitted if emitted.exists() else None


def check_file(case, form, emitted):
    try:
        onnx.checker.check_model(str(emitted), full_check=True)
        check(True, f"{case.name} {form}: the onnx checker accepts it")
    except Exception as error:  # noqa: BLE001: whatever it is, it is the answer
        check(False, f"{case.name} {form}: the onnx checker accepts it: {error}")
    operators = {node.op_type for node in onnx.load(str(emitted)).graph.node}
    wanted = {"qoperator": "QLinearConv", "dynamic": "ConvInteger"}.get(form, "DequantizeLinear")
    check(wanted in operators, f"{case.name} {form}: it holds {wanted}")
    if form == "qoperator":
        check("Conv" not in operators, f"{case.name} {form}: every convolution is an integer operator")
    try:
        return session(emitted, form)
    except Exception as error:  # noqa: BLE001
        check(False, f"{case.name} {form}: ONNX Runtime loads it: {error}")
        return None


def compare(case, form, native, ort, labels):
    """Both as [samples, numbers]."""
    if not case.labels:
        cosine = float(np.sum(native * ort) / np.sqrt(np.sum(native**2) * np.sum(ort**2)))
        return check(cosine > 0.999, f"{case.name} {form}: native and ONNX Runtime outputs point the same way: {cosine:.6f}")
    first, second = native.argmax(1), ort.argmax(1)
    same = 100 * np.mean(first == second)
    if labels is None:
        return check(same >= 99, f"{case.name} {form}: {same:.2f} % of the classes agree")
    tops = [100 * float(np.mean(found == labels)) for found in (first, second)]
    # With fewer than 1000 samples a single one is more than the tolerance.
    allowed = max(POINTS, 100 / len(labels)) + 1e-6
    check(abs(tops[0] - tops[1]) <= allowed,
          f"{case.name} {form}: top-1 native {tops[0]:.2f}, ONNX Runtime {tops[1]:.2f}, agreement {same:.2f} %")


def run_case(args, case, folder):
    files = {form: quantize(args, case, form, folder) for form in case.forms}
    sessions = {form: check_file(case, form, emitted) for form, emitted in files.items() if emitted}
    sessions = {form: ort for form, ort in sessions.items() if ort}
    outputs = folder / "outputs"
    outputs.mkdir()
    command = [args.runner, case.evaluation, str(case.samples), str(outputs), *(str(files[form]) for form in sessions)]
    result = subprocess.run(command, capture_output=True, text=True)
    check(result.returncode == 0, f"{case.name}: the native engine runs every form {result.stderr.strip()}")
    if result.returncode != 0:
        return
    labels, native, other = [], {form: [] for form in sessions}, {form: [] for form in sessions}
    for chunk in sorted(outputs.iterdir()):
        arrays = np.load(chunk)
        if "labels" in arrays:
            labels.append(arrays["labels"])
        for index, (form, ort) in enumerate(sessions.items()):
            batch = MICRO_BATCH if form == "dynamic" else 64
            found = run_ort(ort, arrays["input"], batch)
            native[form].append(arrays[f"output{index}"].reshape(len(found), -1))
            other[form].append(found.reshape(len(found), -1))
        arrays.close()
        if chunk.name == "0000.npz":
            compare_codes(case, files, np.load(chunk)["input"])
        chunk.unlink()
    for form in sessions:
        compare(case, form, np.concatenate(native[form]), np.concatenate(other[form]),
                np.concatenate(labels) if labels else None)


def with_codes(path, names):
    """The model with integer tensors as further outputs."""
    model = onnx.load(str(path))
    known = {info.name for info in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in known)
    return model.SerializeToString()


def compare_codes(case, files, data):
    """QDQ and QOperator files store the same integers, but for roundings at a tie."""
    if not files.get("qdq") or not files.get("qoperator"):
        return
    def codes(path):
        model = onnx.load(str(path))
        return {name for node in model.graph.node for name in node.output if name.endswith("_quantized")}
    names = sorted(codes(files["qdq"]) & codes(files["qoperator"]))
    results = []
    for form in ("qdq", "qoperator"):
        ort = session(with_codes(files[form], names), form)
        results.append(ort.run(names, {ort.get_inputs()[0].name: data[:16]}))
    same = total = largest = 0
    for left, right in zip(*results):
        difference = np.abs(left.astype(np.int32) - right.astype(np.int32))
        same += int(np.sum(difference == 0))
        total += difference.size
        largest = max(largest, int(difference.max()))
    share = 100 * same / total
    check(share >= 99, f"{case.name}: {share:.3f} % of {total} codes in {len(names)} tensors are equal in QDQ and "
          f"QOperator, the largest difference is {largest}")


def describe(folder, name, **fields):
    import json
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"version": 1, **fields}))
    return str(path)


def named_signal(folder):
    """Stands in for a mel spectrogram: sines of falling pitch with a decaying envelope, different in each sample. It
    tells whether the file is valid, nothing about accuracy."""
    time = np.arange(76)[None, :, None, None]
    band = np.arange(32)[None, None, :, None]
    sample = np.arange(64)[:, None, None, None]
    signal = 2 + 6 * np.exp(-time / 60) * np.sin(0.07 * time * (1 + sample % 7) + 0.3 * band + sample)
    np.save(folder / "falling_sines.npy", signal.astype(np.float32))
    return describe(folder, "falling_sines", kind="npy", path="falling_sines.npy", input="input_1")


def large_cases(data, folder):
    cifar = {"kind": "images", "mean": [0.4914, 0.4822, 0.4465], "std": [0.2470, 0.2435, 0.2616], "input": "image"}
    train = describe(folder, "cifar_train", path=str(data / "cifar10/train.zip"), **cifar)
    test = describe(folder, "cifar_test", path=str(data / "cifar10/test.zip"), **cifar)
    for model in ("cifar10_resnet20", "cifar10_mobilenetv2"):
        yield Case(model, data / f"models/{model}.onnx", train, test, 2000)
    # Real pictures, but not of text: what counts is that the file loads and both runtimes agree.
    pictures = describe(folder, "pictures", kind="images", path=str(data / "cifar10/test.zip"), input="x",
                        resize={"size": [48, 192]}, mean=[0.5] * 3, std=[0.5] * 3)
    yield Case("ppocr_cls", data / "models/ch_ppocr_mobile_v2.0_cls_infer.onnx", pictures, pictures, 64, 64, False)
    signal = named_signal(folder)
    yield Case("openwakeword", data / "models/openwakeword_embedding.onnx", signal, signal, 64, 64, False)
    imagenet = {"kind": "images", "classes": str(data / "imagenet/synsets.txt"), "input": "image", "crop": [224, 224],
                "mean": [0.49803922] * 3, "std": [0.50196078] * 3}
    calibration = describe(folder, "imagenet_calib", path=str(data / "imagenet/calib.zip"), **imagenet)
    evaluation = describe(folder, "imagenet_eval", path=str(data / "imagenet/eval.zip"), **imagenet)
    yield Case("efficientnet_lite0", data / "models/efficientnet_lite0.onnx", calibration, evaluation, 750, 64,
               forms=("qdq",))
    yield Case("efficientnet_lite0", data / "models/efficientnet_lite0.onnx", calibration, evaluation, 64, 32,
               forms=("qoperator", "dynamic", "int16", "w4a8", "uint8"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--limbeck", required=True)
    parser.add_argument("--runner", required=True, help="limbeck_interop_run")
    parser.add_argument("--not-run", help="file that collects what could not run")
    parser.add_argument("--only", help="part of a case's name")
    args = parser.parse_args()
    data = pathlib.Path(os.environ.get("LIMBECK_TEST_DATA", ROOT / "../shared/data"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        fixtures = ROOT / "tests/data"
        cases = [Case("fashion_mnist_cnn", fixtures / "fashion_mnist_cnn.onnx",
                      str(fixtures / "fashion_mnist_train.json"), str(fixtures / "fashion_mnist_test.json"), 2000)]
        cases.extend(large_cases(data.resolve(), folder))
        for index, case in enumerate(cases):
            if args.only and args.only not in case.name:
                continue
            if not case.model.exists():
                note = f"tests/interop needs models/{case.model.name} of LIMBECK_TEST_DATA"
                print(note)
                if args.not_run:
                    with open(args.not_run, "a") as notes:
                        notes.write(note + "\n")
                continue
            work = folder / str(index)
            work.mkdir()
            run_case(args, case, work)
    print(f"{len(failures)} checks failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
