"""Writes tf_op_defs.jsonl beside this file: TensorFlow 2.15.1's definition of every op, one a line, in the notation of
kernels/base/op_def.h. Needs TensorFlow; tests do not. Types this project does not know (quantised, float8) are left out."""
import json
import os

from tensorflow.core.framework import op_def_pb2, types_pb2
from tensorflow.python.client import pywrap_tf_session

KNOWN = ('float double int32 uint8 int16 int8 string complex64 int64 bool bfloat16 uint16 complex128 half resource '
         'variant uint32 uint64').split()
# Ops of other devices, of TensorFlow's own tests and of its data pipelines.
SKIPPED = ('Xla', 'Risc', 'DTensor', 'Collective', 'Nccl', 'Tpu', 'TPU', 'Dataset', 'Experimental', 'BoostedTrees', 'Cudnn',
           'Quantized', 'EnqueueTPU', 'Embedding', 'Iterator', 'Polymorphic', 'Attr')


def dtype(number):
    return types_pb2.DataType.Name(number)[3:].lower()


def arg(a):
    kind = dtype(a.type) if a.type else a.type_attr or a.type_list_attr
    if a.is_ref:
        kind = f'Ref({kind})'
    return f'{a.name}: ' + (f'{a.number_attr} * ' if a.number_attr else '') + kind


def value(kind, v):
    if kind.startswith('list('):
        field = {'int': 'i', 'float': 'f', 'bool': 'b', 'string': 's', 'type': 'type', 'shape': 'shape', 'func': 'func'}
        return '[' + ', '.join(one(kind[5:-1], x) for x in getattr(v.list, field[kind[5:-1]])) + ']'
    field = {'int': 'i', 'float': 'f', 'bool': 'b', 'string': 's', 'type': 'type', 'shape': 'shape', 'func': 'func',
             'tensor': 'tensor'}
    return one(kind, getattr(v, field[kind]))


def one(kind, v):
    if kind == 'bool':
        return 'true' if v else 'false'
    if kind == 'string':
        return "'" + v.decode() + "'"
    if kind == 'type':
        return dtype(v)
    if kind == 'shape':
        return 'unknown' if v.unknown_rank else '[' + ', '.join(str(d.size) for d in v.dim) + ']'
    if kind == 'float':
        return f'{v:.9g}'
    return str(v)


def attr(a):
    text = a.type
    if a.HasField('allowed_values'):
        types = [dtype(t) for t in a.allowed_values.list.type]
        names = [t for t in types if t in KNOWN] or ["'" + s.decode() + "'" for s in a.allowed_values.list.s]
        text = '{' + ', '.join(names) + '}'
        if a.type.startswith('list('):
            text = f'list({text})'
    if a.has_minimum:
        text += f' >= {a.minimum}'
    if a.HasField('default_value'):
        text += ' = ' + value(a.type, a.default_value)
    return f'{a.name}: {text}'


def main():
    ops = op_def_pb2.OpList()
    ops.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    lines = []
    for op in sorted(ops.op, key=lambda op: op.name):
        name = op.name
        if name.startswith('_') and not name.startswith('_Fused') or any(s in name for s in SKIPPED):
            continue
        lines.append(json.dumps({'op': name, 'inputs': [arg(a) for a in op.input_arg],
                                 'outputs': [arg(a) for a in op.output_arg], 'attrs': [attr(a) for a in op.attr],
                                 'stateful': op.is_stateful, 'aggregate': op.is_aggregate,
                                 'commutative': op.is_commutative}))
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'tf_op_defs.jsonl'), 'w') as out:
        out.write('\n'.join(lines) + '\n')
    print(len(lines), 'ops')


if __name__ == '__main__':
    main()
