"""Random weights for a network that `shrink` made: the same graph and names, convolutions and products He-normal,
normalisations reset. As lib/distill/shrink/reinitialise.h, for models with BatchNormalization nodes; other numbers are drawn.
Reads and writes the ONNX file by hand (protocol buffers), because experiments need nothing but Python."""
import array
import math
import random

GRAPH, NODE, INITIALIZER = 7, 1, 5  # ModelProto.graph, GraphProto.node, GraphProto.initializer
INPUT, OP_TYPE = 1, 4  # NodeProto
DIMS, NAME, RAW_DATA = 1, 8, 9  # TensorProto


def read_varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def fields(data):
    """(number, value, bytes as stored) of every field; value is an int or bytes."""
    at = 0
    while at < len(data):
        start = at
        key, at = read_varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = read_varint(data, at)
        else:
            size, at = read_varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = data[at:at + size], at + size
        yield key >> 3, value, data[start:at]


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def dims_of(tensor):
    """Stored one by one or packed."""
    dims = []
    for number, value, _ in fields(tensor):
        if number == DIMS and isinstance(value, int):
            dims.append(value)
        elif number == DIMS:
            at = 0
            while at < len(value):
                one, at = read_varint(value, at)
                dims.append(one)
    return dims


def name_of(tensor):
    return next(value.decode() for number, value, _ in fields(tensor) if number == NAME)


def roles(graph):
    """What each constant does, by name: (operator, index of the input)."""
    found = {}
    for number, node, _ in fields(graph):
        if number != NODE:
            continue
        parts = list(fields(node))
        operator = next(value.decode() for key, value, _ in parts if key == OP_TYPE)
        for index, name in enumerate(value.decode() for key, value, _ in parts if key == INPUT):
            found.setdefault(name, (operator, index))
    return found


def start_values(dims, role, source):
    operator, index = role
    count = math.prod(dims)
    if operator in ("Conv", "Gemm", "MatMul") and index == 1:
        fan_in = dims[0] if operator == "MatMul" else count // dims[0]  # Gemm: exporters store outputs first (transB)
        return [source.gauss(0, math.sqrt(2 / fan_in)) for _ in range(count)]
    return [1.0 if operator == "BatchNormalization" and index in (1, 4) else 0.0] * count


def is_weight(role):
    return role is not None and role[1] > 0 and role[0] in ("Conv", "Gemm", "MatMul", "BatchNormalization")


def reinitialise(source_path, target_path, seed):
    model = source_path.read_bytes()
    graph = next(value for number, value, _ in fields(model) if number == GRAPH)
    known, draws, parts, changed = roles(graph), random.Random(seed), [], 0
    for number, value, stored in fields(graph):
        role = known.get(name_of(value)) if number == INITIALIZER else None
        if is_weight(role):
            numbers = array.array("f", start_values(dims_of(value), role, draws))
            kept = b"".join(part for key, _, part in fields(value) if key not in (4, RAW_DATA))  # 4: float_data
            stored, changed = field(INITIALIZER, kept + field(RAW_DATA, numbers.tobytes())), changed + 1
        parts.append(stored)
    if changed == 0:
        raise SystemExit(f"{source_path.name} holds no weights as initializers")
    content = b"".join(part if number != GRAPH else field(GRAPH, b"".join(parts)) for number, _, part in fields(model))
    target_path.write_bytes(content)
