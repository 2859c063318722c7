"""Writes tf_values_nn.jsonl beside this file: raw ops of neural nets and images in TensorFlow 2.15.1, without oneDNN, whose
sums have no order of their own. Needs TensorFlow; tests do not."""
import json
import os

os.environ['TF_ENABLE_ONEDNN_OPTS'] = '0'
import ml_dtypes
import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from tf_values import i32, record

LINES = []
RNG = np.random.default_rng(23)
NAN, INF = float('nan'), float('inf')


def attr_values(op, attrs):
    types = {a.name for a in op_def_registry.get(op).attr if a.type == 'type'}
    return {k: tf.as_dtype(v) if k in types else v for k, v in attrs.items()}


def run(op, inputs, attrs, producer):
    """The op's outputs; in a graph of that version where the version is given, or where Python has no name for it."""
    if hasattr(tf.raw_ops, op) and producer is None:
        out = getattr(tf.raw_ops, op)(**{k: [tf.constant(v) for v in x] if isinstance(x, list) else tf.constant(x)
                                        for k, x in inputs.items()}, **attr_values(op, attrs))
        return [o.numpy() for o in ([out] if tf.is_tensor(out) else list(out))]
    graph = tf.compat.v1.GraphDef()
    graph.versions.producer = producer or tf.compat.v1.GRAPH_DEF_VERSION
    feed = {}
    node = graph.node.add()
    node.name, node.op = 'op', op
    for name, x in inputs.items():
        for i, v in enumerate(x if isinstance(x, list) else [x]):
            p = graph.node.add()
            p.name, p.op = f'{name}_{i}', 'Placeholder'
            p.attr['dtype'].type = tf.as_dtype(v.dtype).as_datatype_enum
            node.input.append(p.name)
            feed[p.name + ':0'] = v
    given = {'T': str(next(iter(inputs.values())).dtype), **attrs}
    for a in op_def_registry.get(op).attr:
        if a.name not in given:
            continue
        v, to = given[a.name], node.attr[a.name]
        if a.type == 'type':
            to.type = tf.as_dtype(v).as_datatype_enum
        elif a.type == 'list(type)':
            to.list.type.extend(tf.as_dtype(t).as_datatype_enum for t in v)
        elif a.type == 'list(string)':
            to.list.s.extend(t.encode() for t in v)
        elif a.type == 'list(int)':
            to.list.i.extend(v)
        elif a.type == 'string':
            to.s = v.encode()
        else:
            setattr(to, {'int': 'i', 'float': 'f', 'bool': 'b'}[a.type], v)
    with tf.Graph().as_default() as g, tf.compat.v1.Session() as session:
        tf.import_graph_def(graph, name='')
        return session.run(g.get_operation_by_name('op').outputs, feed)


def case(op, inputs, tolerance=0.0, skip=(), producer=None, **attrs):
    """`inputs`: by TensorFlow's argument names, in its order. Outputs in `skip` are not compared."""
    outs = run(op, inputs, attrs, producer)
    flat = [v for x in inputs.values() for v in (x if isinstance(x, list) else [x])]
    LINES.append(json.dumps({'op': op, 'attrs': attrs, 'inputs': [record(x) for x in flat],
                             'outputs': [None if i in skip else record(o) for i, o in enumerate(outs)],
                             'tolerance': tolerance}))


def f32(*v):
    return np.array(v, np.float32)


def grid(*shape, dtype=np.float32):
    """Multiples of 1/32 in [-2, 2], exact in every float; integers for integer types."""
    if np.issubdtype(np.dtype(dtype), np.integer):
        return RNG.integers(0, 100, shape).astype(dtype)
    return (RNG.integers(-64, 65, shape) / 32).astype(dtype)


def normal(*shape, dtype=np.float32):
    return RNG.normal(size=shape).astype(dtype)


HALF, BFLOAT = np.float16, ml_dtypes.bfloat16


def batch_norm():
    none = np.zeros(0, np.float32)
    for op in ('FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3'):
        last = (5,) if op.endswith('V3') else ()
        types = [np.float32] if op == 'FusedBatchNorm' else [np.float32, HALF, BFLOAT]
        for dtype in types:
            x = normal(2, 5, 3, 11).astype(dtype)
            scale, offset, mean, var = (np.abs(normal(11)) + .2 for _ in range(4))
            # The root's reciprocal is an approximation in TensorFlow's float32.
            near = 1.5e-7 if dtype == np.float32 else 0.0
            case(op, dict(x=x, scale=scale, offset=offset, mean=none, variance=none), near, epsilon=.001)
            case(op, dict(x=x, scale=scale, offset=offset, mean=mean, variance=var), near, exponential_avg_factor=.25)
            case(op, dict(x=x, scale=scale, offset=offset, mean=mean, variance=var), near, skip=(3, 4), is_training=False)
    v = f32(1, 2, .5)
    x = normal(2, 3, 4, 5)
    given = dict(scale=v, offset=v, mean=v, variance=v)
    for training in (True, False):
        skip = () if training else (3, 4)
        case('FusedBatchNorm', dict(x=x, **given), 1.5e-7, skip=skip, data_format='NCHW', is_training=training)
        case('FusedBatchNormV3', dict(x=normal(2, 3, 2, 3, 2), **given), 1.5e-7, skip=skip, data_format='NCDHW',
             is_training=training)
        case('FusedBatchNormV3', dict(x=normal(2, 2, 3, 2, 3), **given), 1.5e-7, skip=skip, data_format='NDHWC',
             is_training=training)
        case('FusedBatchNormV2', dict(x=np.zeros((0, 2, 2, 3), np.float32), **given), skip=(3, 4), is_training=training)
        case('FusedBatchNormV3', dict(x=normal(1, 1, 1, 3), **given), 1.5e-7, skip=skip, is_training=training)
    x = normal(1, 2, 2, 3)
    x[0, 0, 0, 0], x[0, 1, 1, 1] = NAN, INF
    case('FusedBatchNormV3', dict(x=x, **given), 1.5e-7, skip=(3, 4), is_training=False)

    for op in ('FusedBatchNormGrad', 'FusedBatchNormGradV2', 'FusedBatchNormGradV3'):
        extra = dict(reserve_space_3=none) if op.endswith('V3') else {}
        types = [np.float32] if op == 'FusedBatchNormGrad' else [np.float32, HALF, BFLOAT]
        for dtype in types:
            for training in (True, False):
                x, dy = normal(2, 4, 3, 5).astype(dtype), normal(2, 4, 3, 5).astype(dtype)
                scale, mean, var = (np.abs(normal(5)) + .2 for _ in range(3))
                case(op, dict(y_backprop=dy, x=x, scale=scale, reserve_space_1=mean, reserve_space_2=var, **extra),
                     5e-7, is_training=training, epsilon=.001)
    scale, mean, var = (np.abs(normal(3)) + .2 for _ in range(3))
    s = dict(scale=scale, reserve_space_1=mean, reserve_space_2=var)
    case('FusedBatchNormGrad', dict(y_backprop=normal(2, 3, 4, 2), x=normal(2, 3, 4, 2), **s), 5e-7, data_format='NCHW')
    case('FusedBatchNormGradV3', dict(y_backprop=normal(2, 2, 2, 4, 3), x=normal(2, 2, 2, 4, 3), **s, reserve_space_3=none), 5e-7,
         data_format='NDHWC')
    case('FusedBatchNormGradV3', dict(y_backprop=normal(2, 3, 2, 4, 2), x=normal(2, 3, 2, 4, 2), **s, reserve_space_3=none), 5e-7,
         data_format='NCDHW')
    e = np.zeros((0, 2, 2, 3), np.float32)
    case('FusedBatchNormGradV2', dict(y_backprop=e, x=e, **s))
    for scaled in (True, False):
        for dtype in (np.float32, np.float64):
            m, v, b, g = (np.abs(normal(3, dtype=dtype)) + dtype(.2) for _ in range(4))
            case('BatchNormWithGlobalNormalization', dict(t=normal(2, 3, 2, 3, dtype=dtype), m=m, v=v, beta=b, gamma=g),
                 producer=8, variance_epsilon=.001, scale_after_normalization=scaled)


def pools():
    for size, k, stride, padding in (((5, 6), 2, 1, 'SAME'), ((7, 4), 3, 2, 'SAME'), ((5, 7), 2, 3, 'VALID'),
                                     ((4, 3), 3, 1, 'VALID')):
        w = dict(ksize=[1, k, min(k, 2), 1], strides=[1, stride, stride, 1], padding=padding)
        for dtype in (np.float32, np.float64, HALF, BFLOAT, np.int32, np.uint8):
            x = grid(2, *size, 3, dtype=dtype)
            case('MaxPool', dict(input=x), **w)
            case('MaxPoolWithArgmax', dict(input=x), Targmax='int32' if dtype == np.uint8 else 'int64',
                 include_batch_in_index=dtype == np.float32, **w)
            y = tf.raw_ops.MaxPool(input=tf.constant(x), **w).numpy()
            g = grid(*y.shape, dtype=dtype)
            case('MaxPoolGrad', dict(orig_input=x, orig_output=y, grad=g), **w)
            case('MaxPoolGradGrad', dict(orig_input=x, orig_output=y, grad=grid(*x.shape, dtype=dtype)), **w)
            if dtype in (np.int32, np.uint8):
                continue
            case('AvgPool', dict(value=x), **w)
            case('AvgPoolGrad', dict(orig_input_shape=i32(*x.shape), grad=g), **w)
        x = grid(2, *size, 3)
        v2 = dict(ksize=i32(*w['ksize']), strides=i32(*w['strides']))
        case('MaxPoolV2', dict(input=x, **v2), padding=padding)
        y, whole = tf.raw_ops.MaxPoolWithArgmax(input=tf.constant(x), include_batch_in_index=True, **w)
        g = grid(*y.shape)
        case('MaxPoolGradV2', dict(orig_input=x, orig_output=y.numpy(), grad=g, **v2), padding=padding)
        case('MaxPoolGradGradV2', dict(orig_input=x, orig_output=y.numpy(), grad=grid(*x.shape), **v2), padding=padding)
        case('MaxPoolGradWithArgmax', dict(input=x, grad=g, argmax=whole.numpy()), include_batch_in_index=True, **w)
    row = f32(1, 1, NAN, 2, 2, NAN, NAN, 3, -INF, -INF).reshape(1, 1, 10, 1)
    w = dict(ksize=[1, 1, 2, 1], strides=[1, 1, 1, 1], padding='VALID')
    case('MaxPoolWithArgmax', dict(input=row), **w)
    y = tf.raw_ops.MaxPool(input=row, **w).numpy()
    case('MaxPoolGrad', dict(orig_input=row, orig_output=y, grad=grid(*y.shape)), **w)
    case('MaxPoolGradGrad', dict(orig_input=row, orig_output=y, grad=grid(*row.shape)), **w)
    case('MaxPool', dict(input=grid(2, 4, 5, 2)), ksize=[1, 3, 2, 1], strides=[1, 2, 1, 1], padding='EXPLICIT',
         explicit_paddings=[0, 0, 2, 1, 0, 1, 0, 0])
    for op, name in (('MaxPool', 'input'), ('AvgPool', 'value')):
        case(op, {name: np.zeros((0, 4, 4, 2), np.float32)}, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME')

    for size, stride, padding in (((3, 4, 5), 1, 'SAME'), ((4, 3, 4), 2, 'SAME'), ((5, 4, 3), 2, 'VALID')):
        x = RNG.integers(-2, 3, (2, *size, 3)).astype(np.float32)
        w = dict(ksize=[1, 2, 3, 2, 1], strides=[1, stride, 1, stride, 1], padding=padding)
        y = tf.raw_ops.MaxPool3D(input=x, **w).numpy()
        g = grid(*y.shape)
        case('MaxPool3DGrad', dict(orig_input=x, orig_output=y, grad=g), **w)
        case('MaxPool3DGradGrad', dict(orig_input=x, orig_output=y, grad=grid(*x.shape)), **w)
        case('AvgPool3DGrad', dict(orig_input_shape=i32(*x.shape), grad=g), 1e-7, **w)


def bias():
    for dtype in (np.float32, np.float64, HALF, BFLOAT, np.int32, np.int64):
        for shape in ((2, 3), (2, 3, 1, 5), (2, 3, 4, 2, 2)):
            x = grid(*shape, dtype=dtype)
            case('BiasAdd', dict(value=x, bias=grid(shape[-1], dtype=dtype)))
            case('BiasAdd', dict(value=x, bias=grid(3, dtype=dtype)), **(dict(data_format='NCHW') if len(shape) > 2 else {}))
            # TensorFlow adds up bfloat16 in bfloat16.
            near = .02 if dtype == BFLOAT else 0
            case('BiasAddGrad', dict(out_backprop=x), near)
            case('BiasAddGrad', dict(out_backprop=x), near, **(dict(data_format='NCHW') if len(shape) > 2 else {}))
    case('BiasAddV1', dict(value=normal(3, 5), bias=normal(5)))
    case('BiasAdd', dict(value=np.zeros((0, 3), np.float32), bias=normal(3)))
    case('BiasAddGrad', dict(out_backprop=np.zeros((2, 0, 3), np.float32)))
    case('BiasAddGrad', dict(out_backprop=np.zeros((2, 3, 0), np.float32)), data_format='NCHW')


def blocks():
    for dtype in (np.float32, np.uint8, np.int64, HALF):
        x = grid(2, 4, 6, 3, dtype=dtype)
        for block, pads in (((2, 3), ((0, 0), (0, 0))), ((2, 2), ((1, 1), (2, 0))), ((3, 1), ((1, 1), (0, 0)))):
            case('SpaceToBatchND', dict(input=x, block_shape=i32(*block), paddings=i32(*pads)))
        for block, crops in (((2, 3), ((0, 0), (0, 0))), ((2, 1), ((1, 2), (0, 3)))):
            case('BatchToSpaceND', dict(input=grid(6, 3, 4, 2, dtype=dtype), block_shape=np.array(block, np.int64),
                                        crops=np.array(crops, np.int64)))
    case('SpaceToBatch', dict(input=grid(2, 3, 4, 2), paddings=i32((1, 0), (2, 2))), block_size=2)
    case('BatchToSpace', dict(input=grid(9, 3, 2, 2), crops=i32((2, 1), (0, 4))), block_size=3)
    case('SpaceToBatchND', dict(input=grid(1, 6), block_shape=i32(2), paddings=i32((1, 1))))
    case('SpaceToBatchND', dict(input=grid(2, 2, 4, 2, 3), block_shape=i32(2, 2, 2), paddings=i32((0, 0), (1, 3), (2, 2))))
    case('BatchToSpaceND', dict(input=grid(8, 1, 2, 3, 2), block_shape=i32(2, 2, 2), crops=i32((0, 1), (1, 1), (3, 1))))
    case('SpaceToBatchND', dict(input=grid(2, 3), block_shape=i32(), paddings=np.zeros((0, 2), np.int32)))
    case('SpaceToBatchND', dict(input=np.zeros((0, 4, 4, 1), np.float32), block_shape=i32(2, 2), paddings=i32((0, 0), (0, 2))))
    case('BatchToSpaceND', dict(input=grid(4, 1, 2, 1), block_shape=i32(2, 2), crops=i32((1, 1), (0, 0))))


def mirrors():
    for dtype in (np.float32, np.float64, np.int32, HALF):
        for mode, pads in (('REFLECT', ((0, 1), (2, 1))), ('SYMMETRIC', ((2, 1), (2, 2))), ('REFLECT', ((0, 0), (2, 2)))):
            case('MirrorPadGrad', dict(input=grid(5, 7, dtype=dtype), paddings=i32(*pads)), mode=mode)
    case('MirrorPadGrad', dict(input=normal(2, 6, 7, 3), paddings=np.array(((0, 0), (1, 2), (3, 1), (0, 0)), np.int64)),
         mode='SYMMETRIC')


def lrn():
    for depth, a in ((9, {}), (7, dict(depth_radius=2, bias=2.0, alpha=0.1, beta=0.75)), (3, dict(depth_radius=5, beta=1.0))):
        x = normal(2, 2, 3, depth)
        y = tf.raw_ops.LRN(input=x, **a).numpy()
        case('LRNGrad', dict(input_grads=normal(*x.shape), input_image=x, output_image=y), 1e-7, **a)


def resizing():
    ways = [{}, dict(align_corners=True), dict(half_pixel_centers=True)]
    for size in ((6, 4), (2, 9), (1, 1), (7, 5), (3, 5)):
        for way in ways:
            case('ResizeBicubic', dict(images=normal(2, 3, 5, 2), size=i32(*size)), **way)
            g = normal(2, *size, 2)
            for dtype in (np.float32, np.float64, HALF):
                x = grid(2, 3, 5, 2, dtype=dtype)
                case('ResizeBilinearGrad', dict(grads=g, original_image=x), **way)
                if dtype != HALF:
                    case('ResizeBicubicGrad', dict(grads=g, original_image=x), **way)
                case('ResizeNearestNeighborGrad', dict(grads=g.astype(dtype), size=i32(3, 5)), **way)
        for align in (False, True):
            case('ResizeArea', dict(images=normal(2, 3, 5, 3), size=i32(*size)), align_corners=align)
    for dtype in (np.uint8, np.int16, np.int64, HALF, np.float64):
        x = grid(1, 4, 3, 3, dtype=dtype)
        for op in ('ResizeBicubic', 'ResizeArea', 'ResizeBilinear'):
            case(op, dict(images=x, size=i32(3, 5)))
    case('ResizeNearestNeighborGrad', dict(grads=grid(1, 4, 6, 2, dtype=np.int32), size=i32(2, 3)))
    case('ResizeArea', dict(images=normal(1, 9, 7, 1), size=i32(2, 3)))
    case('ResizeBicubic', dict(images=np.zeros((0, 3, 3, 2), np.float32), size=i32(2, 2)))
    case('ResizeBilinearGrad', dict(grads=np.zeros((0, 3, 3, 2), np.float32), original_image=np.zeros((0, 2, 2, 2), np.float32)))
    x = normal(1, 3, 3, 2)
    x[0, 1, 1, 0], x[0, 0, 0, 1] = NAN, INF
    case('ResizeBilinear', dict(images=x, size=i32(5, 4)))
    case('ResizeBicubic', dict(images=x, size=i32(5, 4)), half_pixel_centers=True)


def crops():
    boxes = f32((0, 0, 1, 1), (.1, .2, .7, .9), (.9, .8, .3, .1), (-.2, .5, 1.3, .6), (.5, .5, .5, .5))
    index = i32(1, 0, 1, 0, 1)
    for dtype in (np.float32, np.float64, np.uint8, HALF):
        image = grid(2, 5, 4, 3, dtype=dtype)
        for size in ((3, 2), (1, 4), (6, 1)):
            for method in ('bilinear', 'nearest'):
                case('CropAndResize', dict(image=image, boxes=boxes, box_ind=index, crop_size=i32(*size)), method=method,
                     extrapolation_value=-7.5)
                if dtype != np.uint8:
                    case('CropAndResizeGradImage', dict(grads=normal(5, *size, 3), boxes=boxes, box_ind=index,
                                                        image_size=i32(2, 5, 4, 3)), method=method, T=str(np.dtype(dtype)))
            case('CropAndResizeGradBoxes', dict(grads=normal(5, *size, 3), image=image, boxes=boxes, box_ind=index))
    case('CropAndResize', dict(image=normal(1, 2, 2, 1), boxes=np.zeros((0, 4), np.float32), box_ind=i32(), crop_size=i32(2, 3)))


def colours():
    rgb = RNG.random((2, 5, 7, 3)).astype(np.float32)
    rgb[0, :, 0] = [[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, .5, .5], [.25, .25, 0]]
    for delta in (0, .2, -.45, 1.5):
        case('AdjustHue', dict(images=rgb, delta=np.float32(delta)))
    for scale in (0, .5, 1.7):
        case('AdjustSaturation', dict(images=rgb, scale=np.float32(scale)))
        for shape in ((1, 1, 3), (7, 1, 2), (2, 3, 6, 5, 3)):
            case('AdjustContrastv2', dict(images=normal(*shape), contrast_factor=np.float32(scale)))
    odd = f32((-1, 2, .5), (3, -2, 0), (NAN, 1, 2), (1, NAN, 0), (INF, 1, 0)).reshape(1, 5, 3)
    case('AdjustHue', dict(images=odd, delta=np.float32(.3)))
    case('AdjustSaturation', dict(images=odd[:, :2], scale=np.float32(.3)))
    for dtype in (np.float32, np.float64):
        case('RGBToHSV', dict(images=rgb.astype(dtype)))
        case('HSVToRGB', dict(images=rgb.astype(dtype)))
    case('HSVToRGB', dict(images=odd[0, :2]))
    case('RGBToHSV', dict(images=np.zeros((0, 3), np.float32)))
    case('AdjustContrastv2', dict(images=np.zeros((0, 2, 2, 3), np.float32), contrast_factor=np.float32(2)))


def windows():
    for dtype in (np.float32, np.int64, np.uint8, HALF):
        x = grid(2, 5, 6, 3, dtype=dtype)
        for k, stride, rate, padding in (((2, 3), 1, 1, 'SAME'), ((3, 2), 2, 1, 'VALID'), ((2, 2), 2, 2, 'SAME')):
            a = dict(strides=[1, stride, stride, 1], rates=[1, rate, rate, 1], padding=padding)
            case('ExtractImagePatches', dict(images=x), ksizes=[1, *k, 1], **a)
            f = grid(*k, 3, dtype=dtype)
            y = tf.raw_ops.Dilation2D(input=x, filter=f, **a).numpy()
            g = grid(*y.shape, dtype=dtype)
            case('Dilation2D', dict(input=x, filter=f), **a)
            case('Dilation2DBackpropInput', dict(input=x, filter=f, out_backprop=g), **a)
            case('Dilation2DBackpropFilter', dict(input=x, filter=f, out_backprop=g), **a)
    x = f32(NAN, 1, -INF, NAN, NAN, 2).reshape(1, 1, 6, 1)
    a = dict(strides=[1, 1, 1, 1], rates=[1, 1, 1, 1], padding='VALID')
    case('Dilation2D', dict(input=x, filter=np.zeros((1, 2, 1), np.float32)), **a)
    case('Dilation2DBackpropInput', dict(input=x, filter=np.zeros((1, 2, 1), np.float32), out_backprop=normal(1, 1, 5, 1)), **a)
    case('ExtractImagePatches', dict(images=np.zeros((0, 4, 4, 2), np.float32)), ksizes=[1, 2, 2, 1], **a)


def fused():
    conv = dict(strides=[1, 2, 2, 1], padding='SAME')
    x, f, b = normal(2, 5, 6, 3), normal(3, 2, 3, 4), normal(4)
    norm = [np.abs(normal(4)) + .2 for _ in range(4)]
    types = {1: ['float32'], 4: ['float32'] * 4}
    for args, ops in (([b], ['BiasAdd']), ([b], ['BiasAdd', 'Relu']), ([b], ['BiasAdd', 'Relu6']), ([b], ['BiasAdd', 'Elu']),
                      ([b], ['BiasAdd', 'LeakyRelu']), (norm, ['FusedBatchNorm']), (norm, ['FusedBatchNorm', 'Relu'])):
        case('_FusedConv2D', dict(input=x, filter=f, args=args), 3e-7, fused_ops=ops, num_args=len(args), TArgs=types[len(args)],
             epsilon=.01, leakyrelu_alpha=.3, **conv)
    for ops in (['BiasAdd'], ['BiasAdd', 'Relu'], ['BiasAdd', 'Relu6'], ['BiasAdd', 'Elu'], ['BiasAdd', 'LeakyRelu']):
        case('_FusedMatMul', dict(a=normal(5, 3), b=normal(4, 5), args=[b]), 3e-7, fused_ops=ops, num_args=1, transpose_a=True,
             transpose_b=True)


def suppression():
    # Coarse boxes, so that some overlap by the threshold exactly; scores with ties.
    boxes = (RNG.integers(0, 9, (30, 4)) / 8).astype(np.float32)
    boxes[5] = boxes[6]
    scores = (RNG.integers(0, 20, 30) / 20).astype(np.float32)
    for most, iou, least in ((10, .5, .3), (30, .25, -1), (0, .5, .3), (5, 1, .9), (40, 0, .1)):
        size, iou, least = i32(most)[0], np.float32(iou), np.float32(least)
        given = dict(boxes=boxes, scores=scores, max_output_size=size)
        case('NonMaxSuppression', given, iou_threshold=float(iou))
        case('NonMaxSuppressionV2', dict(**given, iou_threshold=iou))
        given.update(iou_threshold=iou, score_threshold=least)
        case('NonMaxSuppressionV3', given)
        for pad in (False, True):
            case('NonMaxSuppressionV4', given, pad_to_max_output_size=pad)
            for sigma in (0, .5):
                case('NonMaxSuppressionV5', dict(**given, soft_nms_sigma=np.float32(sigma)), pad_to_max_output_size=pad)
    case('NonMaxSuppressionV3', dict(boxes=np.zeros((0, 4), np.float32), scores=np.zeros(0, np.float32), max_output_size=i32(3)[0],
                                     iou_threshold=np.float32(.5), score_threshold=np.float32(0)))
    scores = RNG.permutation(2 * 12 * 3).reshape(2, 12, 3).astype(np.float32) / 72
    for q in (1, 3):
        boxes = (RNG.integers(-2, 11, (2, 12, q, 4)) / 8).astype(np.float32)
        for pad, clip, most, total in ((False, True, 3, 7), (True, True, 2, 9), (True, False, 12, 9), (False, False, 1, 2)):
            case('CombinedNonMaxSuppression', dict(boxes=boxes, scores=scores, max_output_size_per_class=i32(most)[0],
                                                   max_total_size=i32(total)[0], iou_threshold=np.float32(.4),
                                                   score_threshold=np.float32(.2)), pad_per_class=pad, clip_boxes=clip)


GROUPS = [batch_norm, pools, bias, blocks, mirrors, lrn, resizing, crops, colours, windows, fused, suppression]

if __name__ == '__main__':
    for group in GROUPS:
        group()
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'tf_values_nn.jsonl'), 'w') as out:
        out.write('\n'.join(LINES) + '\n')
    print(len(LINES), 'cases')
