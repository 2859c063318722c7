"""Writes tf_values.jsonl beside this file: raw ops of TensorFlow 2.15.1, one case a line. Needs TensorFlow; tests do not."""
import json
import math
import os

import numpy as np
import tensorflow as tf

LINES = []
RNG = np.random.default_rng(7)


def number(v):
    v = float(str(v)) if v.dtype == np.float32 else v.item()
    if isinstance(v, float) and not math.isfinite(v):
        return 'nan' if math.isnan(v) else 'inf' if v > 0 else '-inf'
    return v


def record(x):
    a = np.asarray(x)
    return [str(a.dtype), list(a.shape), [number(v) for v in a.reshape(-1)]]


def rand(*shape, dtype=np.float32):
    return (RNG.integers(-64, 65, shape) / 32).astype(dtype)


def case(op, inputs, tolerance=0.0, skip=(), **attrs):
    """`inputs`: by TensorFlow's argument names, in its order. Outputs in `skip` are not compared."""
    given = {k: tf.as_dtype(v) if k in ('T', 'out_type', 'output_type') else v for k, v in attrs.items()}
    out = getattr(tf.raw_ops, op)(**{k: [tf.constant(v) for v in x] if isinstance(x, list) else tf.constant(x)
                                    for k, x in inputs.items()}, **given)
    outs = [out] if tf.is_tensor(out) else list(out)
    flat = [v for x in inputs.values() for v in (x if isinstance(x, list) else [x])]
    LINES.append(json.dumps({'op': op, 'attrs': attrs, 'inputs': [record(x) for x in flat],
                             'outputs': [None if i in skip else record(o) for i, o in enumerate(outs)],
                             'tolerance': tolerance}))


def i32(*v):
    return np.array(v, np.int32)


def convolutions():
    eps = 3e-6
    for stride, padding, size, explicit in ((1, 'SAME', 5, []), (2, 'SAME', 6, []), (2, 'VALID', 7, []), (3, 'VALID', 3, []),
                                            (1, 'EXPLICIT', 4, [0, 0, 2, 1, 0, 1, 0, 0])):
        x, f = rand(2, size, size + 1, 3), rand(3, 2, 3, 4)
        a = dict(strides=[1, stride, stride, 1], padding=padding, explicit_paddings=explicit)
        y = tf.raw_ops.Conv2D(input=x, filter=f, **a)
        g = rand(*y.shape)
        case('Conv2DBackpropInput', dict(input_sizes=i32(*x.shape), filter=f, out_backprop=g), eps, **a)
        case('Conv2DBackpropFilter', dict(input=x, filter_sizes=i32(*f.shape), out_backprop=g), eps, **a)
        d = rand(3, 3, 3, 2)
        y = tf.raw_ops.DepthwiseConv2dNative(input=x, filter=d, **a)
        g = rand(*y.shape)
        case('DepthwiseConv2dNativeBackpropInput', dict(input_sizes=i32(*x.shape), filter=d, out_backprop=g), eps, **a)
        case('DepthwiseConv2dNativeBackpropFilter', dict(input=x, filter_sizes=i32(*d.shape), out_backprop=g), eps, **a)
    for stride, padding in ((1, 'SAME'), (2, 'SAME'), (2, 'VALID')):
        x, f = rand(2, 4, 3, 5, 2), rand(2, 3, 2, 2, 3)
        a = dict(strides=[1, stride, 1, stride, 1], padding=padding)
        y = tf.raw_ops.Conv3D(input=x, filter=f, **a)
        g = rand(*y.shape)
        case('Conv3D', dict(input=x, filter=f), eps, **a)
        case('Conv3DBackpropInputV2', dict(input_sizes=i32(*x.shape), filter=f, out_backprop=g), eps, **a)
        case('Conv3DBackpropFilterV2', dict(input=x, filter_sizes=i32(*f.shape), out_backprop=g), eps, **a)
        for op in ('MaxPool3D', 'AvgPool3D'):
            case(op, dict(input=x), 3e-7, ksize=[1, 2, 3, 2, 1], **a)
    x = rand(1, 3, 3, 3, 2)
    x[0, 1, 1, 1, 0], x[0, 0, 0, 0, 1] = np.nan, -np.inf
    case('MaxPool3D', dict(input=x), ksize=[1, 2, 2, 2, 1], strides=[1, 1, 1, 1, 1], padding='VALID')


GROUPS = [convolutions]

if __name__ == '__main__':
    for group in GROUPS:
        group()
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'tf_values.jsonl'), 'w') as out:
        out.write('\n'.join(LINES) + '\n')
    print(len(LINES), 'cases')
