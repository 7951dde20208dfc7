"""Times one training step (forward, loss, backward, SGD with momentum) of limbeck and of PyTorch on the same ONNX graphs, turn
by turn, and prints the ratios (below 1: limbeck is faster). PyTorch runs the graph node by node with its own operators,
channels-last, in its faster memory layout. limbeck's step with fake quantization is set against its own step without. Called by
scripts/bench --training."""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import time

import numpy
import onnx
import onnx.numpy_helper
import torch
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMBECK = ROOT / "build" / "limbeck"
MODELS = ["cifar10_resnet20", "cifar10_mobilenetv2", "cifar10_resnet8_untrained"]


class GraphModule(torch.nn.Module):
    """The operators of the three graphs above; weights are parameters, everything else is a buffer."""

    def __init__(self, path):
        super().__init__()
        model = onnx.load(path)
        graph = model.graph
        self.nodes = list(graph.node)
        self.source = graph.input[0].name
        self.target = graph.output[0].name
        self.constants = {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in graph.initializer}
        for node in self.nodes:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = torch.from_numpy(onnx.numpy_helper.to_array(node.attribute[0].t).copy())
            if node.op_type == "Identity" and node.input[0] in self.constants:
                self.constants[node.output[0]] = self.constants[node.input[0]].clone()
        self.nodes = [n for n in self.nodes if n.output[0] not in self.constants]
        self.weights = torch.nn.ParameterDict()
        for node in self.nodes:
            for name in node.input[1:3] if node.op_type in ("Conv", "Gemm", "BatchNormalization") else []:
                self.weights[name.replace(".", "_")] = torch.nn.Parameter(self.constants[name])

    def value(self, name, values):
        if name in values:
            return values[name]
        key = name.replace(".", "_")
        return self.weights[key] if key in self.weights else self.constants[name]

    def run(self, node, inputs):
        a = {x.name: onnx.helper.get_attribute_value(x) for x in node.attribute}
        kind = node.op_type
        if kind == "Conv":
            top, left = a.get("pads", [0, 0, 0, 0])[:2]
            return F.conv2d(*inputs, stride=a.get("strides", [1, 1]), padding=(top, left), groups=a.get("group", 1))
        if kind == "BatchNormalization":
            x, scale, bias, mean, variance = inputs
            return F.batch_norm(x, mean, variance, scale, bias, True, 1 - a.get("momentum", 0.9), a.get("epsilon", 1e-5))
        if kind == "Gemm":
            return F.linear(*inputs)
        if kind == "ReduceMean":
            return inputs[0].mean(dim=a["axes"], keepdim=bool(a.get("keepdims", 1)))
        if kind == "Clip":
            return torch.clamp(inputs[0], float(inputs[1]), float(inputs[2]))
        return {"Relu": F.relu, "Add": torch.add}[kind](*inputs)

    def forward(self, x):
        values = {self.source: x}
        for node in self.nodes:
            values[node.output[0]] = self.run(node, [self.value(n, values) for n in node.input if n])
        return values[self.target]


def pattern(shape):
    """The inputs of `limbeck bench`: a fixed ramp."""
    count = math.prod(shape)
    return ((numpy.arange(count) * 37 % 251) / 125.0 - 1.0).astype(numpy.float32).reshape(shape)


def torch_step(path, batch, bf16):
    module = GraphModule(path).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-4, momentum=0.9)
    x = torch.from_numpy(pattern([batch, 3, 32, 32])).to(memory_format=torch.channels_last)
    labels = torch.arange(batch) % 10

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = F.cross_entropy(module(x).float(), labels)
        loss.backward()
        optimizer.step()

    return step


def time_torch(step, seconds):
    for _ in range(2):
        step()
    times, start = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < seconds:
        begin = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - begin))
    return min(times)


def time_limbeck(path, batch, threads, seconds, *more):
    command = [LIMBECK, "bench", path, "--training", *more, "--batch", str(batch), "--threads", str(threads), "--seconds",
               str(seconds), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["fastest_ms"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=MODELS, help="stems")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each")
    parser.add_argument("--seconds", type=float, default=3, help="length of one turn")
    parser.add_argument("--quantized", default="int8", help="limbeck's fake quantization: int8, w4a8, w4a4 or w2a8")
    parser.add_argument("--bf16", action="store_true", help="bf16: limbeck's --bf16, PyTorch under autocast")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    folder = pathlib.Path(os.environ["LIMBECK_TEST_DATA"]) / "models"
    print(f"training step, batch {options.batch}, {options.threads} threads, PyTorch {torch.__version__}"
          f"{' bf16' if options.bf16 else ''}: fastest of {options.rounds} turns, ms")
    ratios = []
    for stem in options.models:
        path = folder / f"{stem}.onnx"
        step = torch_step(path, options.batch, options.bf16)
        ours, fake, theirs = [], [], []
        for _ in range(options.rounds):
            ours.append(time_limbeck(path, options.batch, options.threads, options.seconds, *(["--bf16"] if options.bf16 else [])))
            fake.append(time_limbeck(path, options.batch, options.threads, options.seconds, "--quantized", options.quantized))
            theirs.append(time_torch(step, options.seconds))
        ratios.append(min(ours) / min(theirs))
        print(f"{stem:28s} limbeck {min(ours):8.1f}  PyTorch {min(theirs):8.1f}  ratio {ratios[-1]:.2f}  "
              f"{options.quantized} / {'bf16' if options.bf16 else 'FP32'} {min(fake) / min(ours):.2f}", flush=True)
    print(f"geometric mean of the ratios {statistics.geometric_mean(ratios):.2f}")


if __name__ == "__main__":
    main()
