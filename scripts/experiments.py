"""Reruns the experiments of docs/experiments/ and writes their pages; see scripts/experiments."""
import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import experiment_pages

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ["LIMBECK_TEST_DATA"]).resolve()
CIFAR = {"version": 1, "kind": "images", "input": "image", "layout": "NCHW", "color": "RGB",
         "mean": [0.4914, 0.4822, 0.4465], "std": [0.2470, 0.2435, 0.2616]}
RESNET8, RESNET20, MOBILENETV2 = "cifar10_resnet8_untrained", "cifar10_resnet20", "cifar10_mobilenetv2"
FORMATS = ["w4a4", "w4a8", "w2a8", "int8"]
LOSSES = ["labels", "soft_targets", "decoupled", "logits_mse", "logits_cosine", "relational"]
TAP_LOSSES = ["attention", "hint"]  # read feature maps, whose cache would take gigabytes


@dataclasses.dataclass(frozen=True)
class Experiment:
    name: str
    page: str
    recipe: str  # below docs/recipes/, without .json
    student: str  # a model of LIMBECK_TEST_DATA, shrink:... or quantized:...
    teacher: str = ""  # a model of LIMBECK_TEST_DATA; none: labels alone
    seed: int = 1
    cache: bool = True  # the teacher's answers are computed once for all runs; refused beside augmentation


def quantized(model, label, recipe="soft_targets", formats=FORMATS, cache=True):
    """The formats, and beside them the same training without rounding."""
    suffix = "" if recipe == "soft_targets" else f"-{recipe}"
    students = {kind: f"quantized:{kind}" for kind in formats} | {"fp32": model}
    return [Experiment(f"qat-{label}-{kind}{suffix}", "qat", f"qat/{recipe}", student, model, cache=cache)
            for kind, student in students.items()]


def augmented(model, label):
    return quantized(model, label, "augmented", ["int8", "w4a8"], cache=False)


def losses():
    return [Experiment(f"losses-{name}-{seed}", "losses", f"resnet8/{name}", RESNET8, "" if name == "labels" else RESNET20,
                       seed, name not in TAP_LOSSES) for seed in (1, 2, 3) for name in LOSSES + TAP_LOSSES]


EXPERIMENTS = [
    *quantized(RESNET20, "resnet20"),
    *quantized(MOBILENETV2, "mobilenetv2"),
    *quantized(RESNET20, "resnet20", "batch256"),
    *quantized(MOBILENETV2, "mobilenetv2", "batch256"),
    *augmented(RESNET20, "resnet20"),
    *augmented(MOBILENETV2, "mobilenetv2"),
    Experiment("shrink-half", "shrink", "shrink/half", "shrink:macs=0.5", RESNET20),
    Experiment("shrink-half-random", "shrink", "shrink/half", "shrink:macs=0.5,weights=random", RESNET20),
    *losses(),
    Experiment("precision-bf16", "losses", "resnet8/labels_bf16", RESNET8),
    Experiment("domain-shrink", "domain", "domain/three_classes", "shrink:size=0.1", RESNET20),
    Experiment("domain-resnet8", "domain", "domain/three_classes", RESNET8, RESNET20),
]


def model_path(name):
    return str(DATA / f"models/{name}.onnx")


def described(folder, split):
    path = folder / f"{split}.json"
    if not path.exists():
        path.write_text(json.dumps({**CIFAR, "path": str(DATA / f"cifar10/{split}.zip")}))
    return str(path)


def command_of(experiment, folder, threads):
    student = experiment.student if ":" in experiment.student else model_path(experiment.student)
    teacher = ["--teacher", model_path(experiment.teacher)] if experiment.teacher else []
    cache = ["--teacher-cache", str(folder / "teacher_cache")] if teacher and experiment.cache else []
    return [str(ROOT / "build/limbeck"), "distill", *teacher, "--student", student, "--data", described(folder, "train"),
            "--eval", described(folder, "test"), "--recipe", str(ROOT / f"docs/recipes/{experiment.recipe}.json"), *cache,
            "--seed", str(experiment.seed), "--threads", str(threads), "--quiet", "--resume",
            "-o", str(folder / experiment.name)]


def finished(folder, experiment):
    return (folder / experiment.name / "report.json").exists()


def run(experiment, folder, threads):
    if finished(folder, experiment):
        return
    print(f"experiments: {experiment.name}", file=sys.stderr, flush=True)
    code = subprocess.run(command_of(experiment, folder, threads), stdout=subprocess.DEVNULL, check=False).returncode
    if code != 0:
        sys.exit(f"{experiment.name} failed with exit code {code}; run again to go on from its last checkpoint")


def chosen(names):
    """The named experiments, in the order of the names, which a prefix may stand for."""
    picked = []
    for name in names:
        found = [e for e in EXPERIMENTS if e.name == name] or [e for e in EXPERIMENTS if e.name.startswith(name)]
        if not found:
            sys.exit(f"no experiment is called {name}: --list names them")
        picked += [e for e in found if e not in picked]
    return picked if names else EXPERIMENTS


def write_pages(folder):
    reports = {e.name: json.loads((folder / e.name / "report.json").read_text()) for e in EXPERIMENTS if finished(folder, e)}
    pages = ROOT / "docs/experiments"
    pages.mkdir(exist_ok=True)
    for name, text in experiment_pages.pages(EXPERIMENTS, reports).items():
        (pages / f"{name}.md").write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this experiment, or all that start so")
    parser.add_argument("--list", action="store_true", help="name the experiments, and which are finished")
    parser.add_argument("--threads", type=int, default=2, help="changes no result")
    parser.add_argument("--out", default="out/experiments", metavar="FOLDER", help="where runs go (out/experiments)")
    parser.add_argument("--pages-only", action="store_true", help="write the pages from the runs that are finished")
    options = parser.parse_args()
    folder = pathlib.Path(options.out).resolve()
    if options.list:
        for experiment in chosen(options.only):
            print(f"{experiment.name:28} {'finished' if finished(folder, experiment) else ''}".rstrip())
        return
    folder.mkdir(parents=True, exist_ok=True)
    if not options.pages_only:
        for experiment in chosen(options.only):
            run(experiment, folder, options.threads)
            write_pages(folder)
    write_pages(folder)


if __name__ == "__main__":
    main()
