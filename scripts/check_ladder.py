#!/usr/bin/env python3
"""Fails when a file includes something from a higher rung of the ladder (docs/architecture.md)."""
import pathlib
import re
import sys

RUNGS = ["lib/base", "lib/distributed", "lib/model", "lib/ops", "lib/engine", "lib/autodiff", "lib/data", "calibration", "lib/quantize",
         "lib/evaluate", "lib/distill", "lib/report", "lib/package", "tools"]
# The stream feeds engines from data sets, so engine may see the data set's contract.
ALLOWED = {("lib/engine", "lib/data")}


def rung(path):
    return next((r for r in RUNGS if path == r or path.startswith(r + "/")), None)


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    failures = []
    for path in sorted(p for r in ("lib", "calibration", "tools") for p in (root / r).rglob("*") if p.suffix in (".h", ".cpp")):
        relative = path.relative_to(root).as_posix()
        own = rung(relative)
        text = path.read_text()
        for line in re.finditer(r'^#include "([^"]+)"', text, re.M):
            other = rung(line.group(1))
            if own and other and RUNGS.index(other) > RUNGS.index(own) and (own, other) not in ALLOWED:
                failures.append(f"{relative} includes {line.group(1)}, a higher rung")
        if re.search(r'#include [<"](oneapi/)?dnnl', text) and not relative.startswith("lib/engine/onednn/"):
            failures.append(f"{relative} includes oneDNN outside lib/engine/onednn")
        if re.search(r'#include [<"]mpi\.h', text) and not relative.startswith("lib/distributed/"):
            failures.append(f"{relative} includes MPI outside lib/distributed")
    print("\n".join(failures) or "ladder: in order")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
