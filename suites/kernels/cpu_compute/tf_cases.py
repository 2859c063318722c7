"""Runs ops of TensorFlow 2.15.1 by name and records them as cases, one a line. Needs TensorFlow; tests do not."""
import json
import os

import ml_dtypes
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context, execute
from tensorflow.python.framework import op_def_registry

NAN, INF = float('nan'), float('inf')
HALF, BFLOAT = np.float16, ml_dtypes.bfloat16


def value(v):
    """A number, text, or word that JSON can hold."""
    if isinstance(v, (bytes, str)):
        return v.decode() if isinstance(v, bytes) else v
    if isinstance(v, (np.bool_, np.integer)):
        return v.item()
    v = float(str(v)) if v.dtype != np.float64 else v.item()
    return v if np.isfinite(v) else 'nan' if np.isnan(v) else 'inf' if v > 0 else '-inf'


def record(x):
    """[type, shape, values]; of complex numbers both parts in turn."""
    a = np.asarray(x)
    kind = 'string' if a.dtype.kind in 'OSU' else str(a.dtype)
    flat = np.ascontiguousarray(a).reshape(-1)
    if a.dtype.kind == 'c':
        flat = flat.view(np.float32 if a.dtype == np.complex64 else np.float64)
    return [kind, list(a.shape), [value(v) for v in flat]]


def attr_values(op, attrs):
    types = {a.name for a in op_def_registry.get(op).attr if a.type in ('type', 'list(type)')}
    return {k: (v if k not in types else [tf.as_dtype(t).as_datatype_enum for t in v] if isinstance(v, list)
                else tf.as_dtype(v).as_datatype_enum) for k, v in attrs.items()}


def run(op, inputs, attrs):
    """The outputs, as arrays. `inputs`: in TensorFlow's order, a list where the argument is one."""
    definition, flat = op_def_registry.get(op), []
    # Kernels are looked up before the defaults are filled in.
    given = {a.name: a.default_value.type for a in definition.attr if a.type == 'type' and a.default_value.type}
    for arg, x in zip(definition.input_arg, inputs):
        tensors = [v if tf.is_tensor(v) else tf.constant(v) for v in (x if isinstance(x, list) else [x])]
        types = [t.dtype.as_datatype_enum for t in tensors]
        flat += tensors
        if arg.number_attr:
            given[arg.number_attr] = len(tensors)
        if arg.type_attr and types:
            given[arg.type_attr] = types[0]
        if arg.type_list_attr:
            given[arg.type_list_attr] = types
    given.update(attr_values(op, attrs))
    ordered = [part for item in given.items() for part in item]
    outputs = execute.execute(op, 16, flat, tuple(ordered), context.context())
    return [o.numpy() for o in outputs]


def counts(op, inputs):
    """Lengths of the lists among the inputs, by their attributes."""
    return {a.number_attr: len(x) for a, x in zip(op_def_registry.get(op).input_arg, inputs) if a.number_attr}


class Recorder:

    def __init__(self, name):
        self.name, self.lines = name, []

    def add(self, op, inputs, outputs, near, attrs):
        """`inputs`, `outputs`: as recorded."""
        self.lines.append(json.dumps({'op': op, 'attrs': attrs, 'inputs': inputs, 'outputs': outputs,
                                      **({'tolerance': near} if near else {})}))

    def case(self, op, *inputs, near=0.0, skip=(), **attrs):
        """`near`: the tolerance. Outputs in `skip` are not compared."""
        outputs = run(op, inputs, attrs)
        flat = [v for x in inputs for v in (x if isinstance(x, list) else [x])]
        self.add(op, [record(x) for x in flat], [None if i in skip else record(o) for i, o in enumerate(outputs)],
                 near, {**counts(op, inputs), **attrs})
        return outputs

    def write(self):
        folder = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(folder, self.name + '.jsonl'), 'w') as out:
            out.write('\n'.join(self.lines) + '\n')
        print(len(self.lines), 'cases')
