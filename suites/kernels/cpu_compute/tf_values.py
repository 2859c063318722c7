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


def groups_and_dilations():
    eps = 3e-6
    x = rand(1, 6, 5, 4)
    for depth, out, dilation, stride in ((2, 6, 1, 1), (2, 4, 1, 2), (4, 3, 2, 1)):
        f, a = rand(3, 2, depth, out), dict(strides=[1, stride, stride, 1], padding='SAME', dilations=[1, dilation, dilation, 1])
        g = rand(*tf.raw_ops.Conv2D(input=x, filter=f, **a).shape)
        case('Conv2DBackpropInput', dict(input_sizes=i32(*x.shape), filter=f, out_backprop=g), eps, **a)
        case('Conv2DBackpropFilter', dict(input=x, filter_sizes=i32(*f.shape), out_backprop=g), eps, **a)
    f, g = rand(3, 3, 4, 2), rand(1, 6, 5, 2)
    case('Conv2DBackpropInput', dict(input_sizes=i32(6, 5), filter=f, out_backprop=g), eps, strides=[1, 1, 1, 1], padding='SAME')
    case('Conv3D', dict(input=rand(1, 5, 4, 5, 2), filter=rand(2, 2, 2, 2, 3)), eps, strides=[1] * 5, padding='SAME',
         dilations=[1, 2, 1, 2, 1])


def slicing():
    x = rand(3, 4, 5)
    for axis in (0, 1, -1):
        case('Pack', dict(values=[rand(2, 3), rand(2, 3), rand(2, 3)]), axis=axis)
        case('Unpack', dict(value=x), axis=axis, num=x.shape[axis])
        case('GatherV2', dict(params=x, indices=i32(2, 0, 0), axis=i32(axis)[0]))
        case('ReverseV2', dict(tensor=x, axis=i32(axis)))
    case('ReverseV2', dict(tensor=x, axis=i32(0, 2)))
    case('Split', dict(axis=i32(1)[0], value=x), num_split=2)
    case('SplitV', dict(value=x, size_splits=i32(1, -1, 2), axis=i32(2)[0]), num_split=3)
    case('Slice', dict(input=x, begin=i32(1, 0, 2), size=i32(-1, 2, 3)))
    for begin, end, strides, masks in (((0, 1), (2, -1), (1, 1), {}), ((-1, -1), (0, 0), (-1, -2), {}),
                                       ((0, 0), (0, 0), (-1, -2), dict(begin_mask=3, end_mask=3)),
                                       ((1, 0, -1), (2, 0, 0), (1, 1, 1), dict(ellipsis_mask=2, shrink_axis_mask=5)),
                                       ((0, 0, 1), (0, 0, 3), (1, 1, 1), dict(ellipsis_mask=1, new_axis_mask=2)),
                                       ((0, 0, 0), (2, 0, 2), (1, 1, 1), dict(new_axis_mask=2, begin_mask=4)),
                                       ((-7,), (9,), (2,), {}), ((2,), (1,), (1,), {}), ((5,), (9,), (1,), {})):
        case('StridedSlice', dict(input=x, begin=i32(*begin), end=i32(*end), strides=i32(*strides)), **masks)
    case('Tile', dict(input=rand(2, 3), multiples=i32(2, 3)))
    case('Tile', dict(input=rand(2, 1, 3), multiples=i32(1, 3, 0)))
    case('BroadcastTo', dict(input=rand(3, 1), shape=i32(2, 3, 4)))
    case('Rank', dict(input=x))
    case('Size', dict(input=x), out_type='int64')
    case('GatherV2', dict(params=x, indices=i32(0, 3, 1, 1, 2, 0).reshape(3, 2), axis=i32(1)[0]), batch_dims=1)
    case('GatherV2', dict(params=x, indices=i32(0, 3, 1, 1, 2, 0).reshape(3, 2), axis=i32(2)[0]), batch_dims=-1)
    case('GatherNd', dict(params=x, indices=i32(0, 1, 2, 3).reshape(2, 2)))
    case('GatherNd', dict(params=x, indices=i32(0, 1, 4, 2, 3, 0).reshape(2, 3)))
    for mode, pads in (('REFLECT', (0, 1, 2, 0)), ('SYMMETRIC', (3, 1, 2, 4))):
        case('MirrorPad', dict(input=rand(3, 4), paddings=i32(*pads).reshape(2, 2)), mode=mode)
    for axis in (-1, 0):
        case('OneHot', dict(indices=np.array([[0, 2, -1], [1, 5, 2]], np.int64), depth=i32(3)[0], on_value=np.float32(2),
                            off_value=np.float32(-1)), axis=axis)
    case('SpaceToDepth', dict(input=rand(2, 4, 6, 3)), block_size=2)
    case('DepthToSpace', dict(input=rand(2, 2, 3, 8)), block_size=2)


def searching():
    nan = np.float32('nan')
    y = np.array([[1, 5, 5, -2], [nan, 1, 2, 2], [3, nan, 1, 0], [nan, nan, nan, nan], [-np.inf] * 4, [np.inf] * 4],
                 np.float32)
    for op in ('ArgMax', 'ArgMin'):
        case(op, dict(input=y, dimension=i32(1)[0]))
        case(op, dict(input=rand(3, 4, 5), dimension=i32(1)[0]), output_type='int32')
        case(op, dict(input=np.array([[4, 4, 1], [-9, 0, -9]], np.int32), dimension=i32(-1)[0]))
    case('TopKV2', dict(input=RNG.integers(0, 5, (3, 9)).astype(np.float32), k=i32(4)[0]))
    case('InTopKV2', dict(predictions=np.where(np.isnan(y), 0, y)[:3], targets=i32(2, 3, 7), k=i32(2)[0]))
    case('InTopKV2', dict(predictions=y, targets=i32(1, 2, 0, 1, 0, 0), k=i32(2)[0]))
    case('UnsortedSegmentSum', dict(data=rand(5, 3), segment_ids=i32(2, 0, -1, 2, 0), num_segments=i32(4)[0]))
    case('UnsortedSegmentSum', dict(data=rand(2, 3, 2), segment_ids=i32(1, 0, 1, 1, 0, 0).reshape(2, 3), num_segments=i32(2)[0]))
    for axis in (i32(), i32(1), i32(0, 2)):
        case('EuclideanNorm', dict(input=rand(3, 4, 2), axis=axis), 1e-7, keep_dims=True)
    case('TopKV2', dict(input=RNG.integers(0, 50, (2, 9)).astype(np.int32), k=i32(1)[0]))
    case('Range', dict(start=np.float32(0.1), limit=np.float32(2.3), delta=np.float32(0.1)))
    case('Range', dict(start=np.float32(3), limit=np.float32(-1), delta=np.float32(-0.3)))
    case('Range', dict(start=i32(10)[0], limit=i32(-4)[0], delta=i32(-3)[0]))
    z = RNG.normal(size=(3, 7, 2)).astype(np.float32)
    for exclusive in (False, True):
        for reverse in (False, True):
            case('Cumsum', dict(x=z, axis=i32(1)[0]), exclusive=exclusive, reverse=reverse)
    case('Cumsum', dict(x=np.arange(12, dtype=np.int32).reshape(3, 4), axis=i32(-1)[0]))
    b = RNG.integers(0, 4, (3, 4, 2)) > 0
    for op in ('All', 'Any'):
        case(op, dict(input=b, axis=i32(1)))
        case(op, dict(input=~b, axis=i32(0, 2)), keep_dims=True)
        case(op, dict(input=np.zeros((0, 2), bool), axis=i32(0)))


def images():
    x = RNG.normal(size=(2, 3, 5, 2)).astype(np.float32)
    for size in ((6, 4), (2, 9), (1, 1), (7, 5)):
        for align, half in ((False, False), (True, False), (False, True)):
            a = dict(align_corners=align, half_pixel_centers=half)
            case('ResizeNearestNeighbor', dict(images=x, size=i32(*size)), **a)
            case('ResizeBilinear', dict(images=x, size=i32(*size)), 1e-7, **a)
    case('ResizeBilinear', dict(images=np.arange(12, dtype=np.int32).reshape(1, 3, 4, 1), size=i32(5, 5)), 1e-7)
    case('LRN', dict(input=rand(1, 2, 2, 9)), 1e-6)
    case('LRN', dict(input=rand(1, 2, 2, 9)), 1e-6, depth_radius=2, bias=2.0, alpha=0.1, beta=0.75)


def elementwise():
    inf, nan = np.float32('inf'), np.float32('nan')
    x = np.array([-inf, -90, -7.25, -1, -0.5, -1e-4, -0.0, 0.0, 1e-4, 0.3, 1, 2.5, 6, 7.75, 80, inf, nan], np.float32)
    finite = x[np.isfinite(x)]
    for op in ('Selu', 'LeakyRelu', 'Softsign'):
        case(op, dict(features=x), 2e-7)
        case(op, dict(features=finite.astype(np.float64)), 2e-16)
    case('LeakyRelu', dict(features=x), alpha=0.1)
    for op in ('Erf', 'Log1p', 'Expm1', 'Sin', 'Cos', 'Reciprocal'):
        case(op, dict(x=finite), 3e-7)
        case(op, dict(x=finite.astype(np.float64)), 1e-15)
        if op not in ('Sin', 'Cos'):
            case(op, dict(x=x[[0, 6, 7, 15, 16]]))
    for op in ('IsNan', 'IsInf', 'IsFinite'):
        case(op, dict(x=x))
    a = np.array([[7, -7, 7, -7, 0, 3.5, -0.25, 5]], np.float32).T
    b = np.array([2, -2, 0, 3, 0.5, -5], np.float32)
    for op in ('FloorDiv', 'FloorMod', 'DivNoNan', 'Xdivy', 'Xlogy'):
        case(op, dict(x=a, y=b), 1e-7)
    case('FloorMod', dict(x=x, y=np.float32(3)))
    for op in ('FloorDiv', 'FloorMod'):
        case(op, dict(x=np.array([[7, -7, 6, -6, 0, -2**31]], np.int32).T, y=i32(2, -2, 3, -3, 7)))
    g = rand(*x.shape)
    for op in ('ReluGrad', 'Relu6Grad', 'LeakyReluGrad', 'SoftplusGrad', 'SoftsignGrad'):
        case(op, dict(gradients=g, features=x), 2e-7)
    case('ReluGrad', dict(gradients=x, features=g))
    for op in ('EluGrad', 'SeluGrad'):
        case(op, dict(gradients=g, outputs=x), 2e-7)
    y = np.array([0, 0.25, 0.3, 1, -0.7, 2.5], np.float32)
    for op in ('SigmoidGrad', 'TanhGrad', 'SqrtGrad', 'RsqrtGrad', 'ReciprocalGrad'):
        case(op, dict(y=y, dy=rand(*y.shape)), 1e-7)
        case(op, dict(y=y[:1], dy=np.zeros(1, np.float32)))
    y, dy = RNG.normal(size=(2, 33)).astype(np.float32)
    for op in ('RsqrtGrad', 'ReciprocalGrad', 'TanhGrad'):
        case(op, dict(y=y, dy=dy))
    case('BiasAddGrad', dict(out_backprop=rand(2, 3, 2, 5)), 1e-6)


def losses():
    inf = np.float32('inf')
    x, p = RNG.normal(size=(4, 5)).astype(np.float32), RNG.random((4, 5)).astype(np.float32)
    case('SoftmaxCrossEntropyWithLogits', dict(features=x, labels=p), 3e-7)
    case('SoftmaxCrossEntropyWithLogits', dict(features=x, labels=p[:1]), 3e-7)
    case('SoftmaxCrossEntropyWithLogits', dict(features=x[:, :1], labels=p), 3e-7)
    hard = np.array([[0, 1, 0], [1, 0, 0]], np.float32)
    case('SoftmaxCrossEntropyWithLogits', dict(features=np.array([[-inf, 1, 2], [500, -500, 0]], np.float32), labels=hard), 3e-7)
    case('SparseSoftmaxCrossEntropyWithLogits', dict(features=x, labels=i32(0, 4, 2, 2)), 3e-7)
    case('SparseSoftmaxCrossEntropyWithLogits', dict(features=x.astype(np.float64), labels=np.array([3, 1, 0, 4])), 3e-16)
    for stride, padding, k in ((1, 'SAME', 2), (2, 'SAME', 3), (2, 'VALID', 2), (1, 'VALID', 3)):
        a = dict(ksize=[1, k, k, 1], strides=[1, stride, stride, 1], padding=padding)
        image = RNG.integers(-2, 3, (2, 5, 6, 2)).astype(np.float32)
        y = tf.raw_ops.MaxPool(input=image, **a).numpy()
        case('MaxPoolGrad', dict(orig_input=image, orig_output=y, grad=rand(*y.shape)), **a)
        case('AvgPoolGrad', dict(orig_input_shape=i32(*image.shape), grad=rand(*y.shape)), 2e-7, **a)
    image = RNG.normal(size=(2, 3, 4, 3)).astype(np.float32)
    scale, variance = (RNG.random(3).astype(np.float32) + 0.5 for _ in range(2))
    for training in (True, False):
        mean = image.mean((0, 1, 2)) if training else rand(3)
        variance = image.var((0, 1, 2)) if training else variance
        case('FusedBatchNormGradV3', dict(y_backprop=RNG.normal(size=image.shape).astype(np.float32), x=image, scale=scale,
                                          reserve_space_1=mean, reserve_space_2=variance, reserve_space_3=np.zeros(0, np.float32)),
             2e-6, skip=(3, 4), is_training=training, epsilon=0.001)


GROUPS = [convolutions, groups_and_dilations, slicing, searching, images, elementwise, losses]

if __name__ == '__main__':
    for group in GROUPS:
        group()
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'tf_values.jsonl'), 'w') as out:
        out.write('\n'.join(LINES) + '\n')
    print(len(LINES), 'cases')
