"""Writes tf_values_array.jsonl beside this file: ops of TensorFlow 2.15.1 that move elements, in every type, and texts."""
from tf_cases import BFLOAT, HALF, INF, NAN, Recorder, np, tf

R = Recorder('tf_values_array')
RNG = np.random.default_rng(43)
case = R.case
i16, i32, i64 = np.int16, np.int32, np.int64
TYPES = [HALF, BFLOAT, np.float32, np.float64, np.int8, i16, i32, i64, np.uint8, np.uint16, np.uint32, np.uint64, np.bool_,
         np.complex64, np.complex128, 'string']


def text(*values):
    return np.array([v.encode() for v in values], object)


def draw(dtype, *shape):
    numbers = RNG.integers(0, 60, shape)
    if dtype == 'string':
        return np.array([(b'', b'a', b'bc', b'two words')[n % 4] for n in numbers.reshape(-1)], object).reshape(shape)
    if np.dtype(dtype).kind == 'c':
        return (numbers - 30 + 1j * RNG.integers(0, 9, shape)).astype(dtype)
    if np.dtype(dtype).kind in 'ub':
        return (numbers % 7 - (dtype == np.bool_) * 3).astype(dtype)
    return (numbers - 30).astype(np.float32).astype(dtype)


def each(op, make, types=TYPES, **attrs):
    """One case for each of the types."""
    for dtype in types:
        case(op, *make(dtype), **attrs)


def moving():
    each('Roll', lambda t: (draw(t, 3, 4), i32([1, -6]), i32([0, -1])))
    each('Reverse', lambda t: (draw(t, 2, 3, 2), np.bool_([1, 0, 1])))
    each('ReverseV2', lambda t: (draw(t, 2, 3, 2), i64([0, -1])))
    each('ReverseSequence', lambda t: (draw(t, 3, 4, 2), i64([4, 0, 3])), seq_dim=1, batch_dim=0)
    case('ReverseSequence', draw(np.float32, 4, 2, 3), i32([2, 4]), seq_dim=0, batch_dim=1)
    each('Concat', lambda t: (i32(1), [draw(t, 2, 1), draw(t, 2, 0), draw(t, 2, 3)]))
    each('ConcatV2', lambda t: ([draw(t, 2, 1), draw(t, 2, 3)], i64(-1)))
    each('Transpose', lambda t: (draw(t, 2, 3, 2), i32([2, 0, 1])))
    each('Tile', lambda t: (draw(t, 2, 3), i32([2, 2])), [t for t in TYPES if t not in (np.uint16,)])
    each('Pack', lambda t: ([draw(t, 2, 3), draw(t, 2, 3)],), axis=-2)
    each('Unpack', lambda t: (draw(t, 2, 3),), axis=1, num=3)
    each('Split', lambda t: (i32(1), draw(t, 2, 4)), num_split=2)
    each('SplitV', lambda t: (draw(t, 2, 6), i32([1, -1, 2]), i32(1)), num_split=3)
    each('Slice', lambda t: (draw(t, 3, 4), i64([1, 0]), i64([-1, 2])))
    each('StridedSlice', lambda t: (draw(t, 3, 4), i64([2, 0]), i64([0, 4]), i64([-1, 2])), end_mask=1)
    each('StridedSliceGrad', lambda t: (i32([3, 4]), i32([0, 1]), i32([3, 4]), i32([2, 2]), draw(t, 2, 2)))
    case('StridedSliceGrad', i64([3, 4]), i64([1]), i64([2]), i64([1]), draw(np.float32, 4), shrink_axis_mask=1)
    case('StridedSliceGrad', i32([3]), i32([2]), i32([2]), i32([1]), draw(np.float32, 0))
    each('Pad', lambda t: (draw(t, 2, 2), i32([[1, 0], [0, 2]])))
    each('PadV2', lambda t: (draw(t, 2, 2), i64([[0, 1], [1, 0]]), draw(t)))
    each('MirrorPad', lambda t: (draw(t, 2, 3), i32([[1, 0], [0, 2]])), mode='REFLECT')
    each('BroadcastTo', lambda t: (draw(t, 2, 1), i64([3, 2, 2])))
    each('Fill', lambda t: (i64([2, 3]), draw(t)))
    each('ZerosLike', lambda t: (draw(t, 2, 2),))
    each('OnesLike', lambda t: (draw(t, 2, 2),), [t for t in TYPES if t != 'string'])
    each('ExpandDims', lambda t: (draw(t, 2, 3), i64(1)))
    each('Squeeze', lambda t: (draw(t, 1, 3, 1),), squeeze_dims=[-1])
    each('Reshape', lambda t: (draw(t, 2, 3), i64([3, -1])))
    each('OneHot', lambda t: (i64([0, -1, 2]), i32(3), draw(t), draw(t)))
    for op in ('Identity', 'Snapshot', 'GuaranteeConst', 'DebugGradientIdentity', 'StopGradient', 'PreventGradient'):
        each(op, lambda t: (draw(t, 2, 2),), [np.float32, BFLOAT, i64, np.bool_, np.complex64, 'string'][:-1 if op == 'Snapshot' else 6])
    case('IdentityN', [draw(np.float32, 2), draw('string', 3), draw(np.bool_)])
    each('SpaceToDepth', lambda t: (draw(t, 1, 4, 2, 1),), block_size=2)
    each('DepthToSpace', lambda t: (draw(t, 1, 1, 2, 4),), block_size=2)
    for op in ('Roll', 'ReverseV2', 'Concat', 'Tile'):
        x = np.zeros((0, 3), np.float32)
        case(op, *{'Roll': (x, i32(1), i32(1)), 'ReverseV2': (x, i32([1])), 'Concat': (i32(0), [x, draw(np.float32, 2, 3)]),
                   'Tile': (x, i32([2, 2]))}[op])
    case('ReverseSequence', np.zeros((2, 0, 3), np.float32), i32([0, 0]), seq_dim=1, batch_dim=0)
    case('Roll', draw(np.float32, 7), i64(-30), i32(0))
    # The kernel finds its place only where TensorFlow rewrote the op; one row each.
    rows = [draw(np.float32, 1, 3) for _ in range(3)]
    case('ParallelConcat', rows, shape=[3, 3])


def shapes():
    case('ShapeN', [draw(np.float32, 2, 3), draw(np.float32), draw(np.float32, 0, 4)])
    case('ShapeN', [draw('string', 2, 3)], out_type='int64')
    for op in ('BroadcastArgs', 'BroadcastGradientArgs'):
        for a, b in (([2, 1, 3], [4, 1]), ([], [4, 1]), ([0, 1], [1, 5]), ([1, 1], [1]), ([1, 2], [1, 2]), ([2, 1], [1, 1])):
            for dtype in (i32, i64):
                case(op, dtype(a), dtype(b))
    each('EnsureShape', lambda t: (draw(t, 2, 3),), shape=[-1, 3])
    for dtype in (i32, i64):
        case('ConcatOffset', i32(1), [dtype([2, 2, 7]), dtype([2, 3, 7]), dtype([2, 0, 7])])
        case('UnravelIndex', dtype([5, 2]), dtype([2, 3]))
        case('UnravelIndex', dtype(5), dtype([2, 3]))
    case('ConcatOffset', i32(-1), [i32([2, 2]), i32([2, 3])])
    for dtype in (HALF, BFLOAT, np.float32, np.float64):
        case('CheckNumerics', draw(dtype, 3), message='m')
        case('CheckNumericsV2', draw(dtype, 0), message='m')
    for dtype in ('float32', 'int8', 'bool', 'complex64', 'bfloat16'):
        case('Empty', i32([2, 3]), dtype=dtype, init=True)
    case('Empty', i32([2]), dtype='string')
    case('PlaceholderWithDefault', draw(np.float32, 2, 3), shape=[-1, 3])
    for source in (t for t in TYPES if t not in ('string', np.bool_)):
        for target in ('uint8', 'float16', 'float32', 'int64', 'complex64'):
            size = np.dtype(source).itemsize, tf.as_dtype(target).size
            case('Bitcast', draw(source, 2, max(1, size[1] // size[0])), type=target)


def indexing():
    each('Gather', lambda t: (draw(t, 4, 2), i64([3, 0, 0])))
    each('GatherV2', lambda t: (draw(t, 2, 4), i32([[3, 0], [1, 1]]), i64(1)))
    each('GatherNd', lambda t: (draw(t, 3, 4), i32([[2, 1], [0, 3]])))
    case('GatherNd', draw(np.float32, 3, 4), i16([[2], [0]]))
    case('Gather', draw(np.float32, 0, 2), np.zeros((0, 3), i32))
    each('ScatterNd', lambda t: (i32([[1], [3], [1]]), draw(t, 3, 2), i32([4, 2])),
         [t for t in TYPES if t not in (np.bool_, 'string', np.complex64, np.complex128)])
    case('ScatterNd', i64([[0, 1], [2, 0]]), draw(np.float32, 2), i64([3, 2]))
    case('ScatterNd', np.zeros((0, 1), i32), np.zeros((0, 2), np.float32), i32([3, 2]))
    each('TensorScatterUpdate', lambda t: (draw(t, 4, 2), i64([[3], [0]]), draw(t, 2, 2)))
    for op in ('Add', 'Sub', 'Min', 'Max'):
        each('TensorScatter' + op, lambda t: (draw(t, 4, 2), i32([[3], [0], [3]]), draw(t, 3, 2)),
             [t for t in TYPES if t not in (np.bool_, 'string', np.complex64, np.complex128)])
        case('TensorScatter' + op, draw(np.float32, 3), np.zeros((0, 1), i64), np.zeros(0, np.float32))
        case('TensorScatter' + op, np.float32([1, NAN, 3]), i32([[0], [1], [2]]), np.float32([NAN, 1, INF]))
    for op in ('DynamicStitch', 'ParallelDynamicStitch'):
        each(op, lambda t: ([i32([2, 0]), i32([[1, 3]]), i32(4)], [draw(t, 2, 2), draw(t, 1, 2, 2), draw(t, 2)]))
    case('DynamicStitch', [i32([0, 1]), i32([1, 0])], [draw(np.float32, 2), draw(np.float32, 2)])
    case('DynamicStitch', [np.zeros(0, i32)], [np.zeros((0, 3), np.float32)])
    each('DynamicPartition', lambda t: (draw(t, 4, 2), i32([1, 0, 1, 3])), num_partitions=4)
    case('DynamicPartition', draw(np.float32, 2, 2), i32([[0, 1], [1, 0]]), num_partitions=2)
    case('DynamicPartition', np.zeros((0, 2), np.float32), np.zeros(0, i32), num_partitions=2)
    values = {t: np.array([3, 1, 3, 0, 1, 1]).astype(np.dtype(t)) for t in TYPES[:13]}
    values['string'] = text('b', 'a', 'b', '', 'a')
    for x in values.values():
        case('Unique', x)
        case('UniqueWithCounts', x, out_idx='int64')
        case('UniqueV2', x, np.zeros(0, i32))
        case('UniqueWithCountsV2', x, i64([0]))
    case('UniqueV2', i32([[1, 2], [0, 2], [1, 2]]), i64([0]), out_idx='int64')
    case('UniqueV2', np.float32([[1, 0, 1], [2, 0, 2]]), i32([-1]))
    case('UniqueWithCountsV2', np.zeros((0, 2), np.float32), i32([0]))
    case('Unique', np.float32([NAN, NAN, 0, -0.0]))
    case('Unique', np.zeros(0, i64))


def diagonals():
    numbers = [t for t in TYPES if t != 'string']
    small = [np.float32, HALF, BFLOAT, np.float64, i32, i64, np.uint8, np.bool_]
    each('Diag', lambda t: (draw(t, 3),), [HALF, np.float32, np.float64, i32, i64, np.complex64, np.complex128])
    case('Diag', draw(np.float32, 2, 2))
    case('DiagPart', draw(np.float32, 2, 3, 2, 3))
    each('MatrixDiag', lambda t: (draw(t, 2, 3),), numbers)
    each('MatrixDiagPart', lambda t: (draw(t, 2, 3, 2),), numbers)
    each('MatrixSetDiag', lambda t: (draw(t, 2, 3, 2), draw(t, 2, 2)), numbers)
    each('MatrixBandPart', lambda t: (draw(t, 2, 3, 4), i64(1), i64(-1)), numbers)
    case('MatrixBandPart', draw(np.float32, 4, 3), i32(0), i32(1))
    case('MatrixBandPart', np.zeros((0, 2, 2), np.float32), i32(0), i32(0))
    for low, high in ((0, 0), (-1, 1), (1, 2), (-2, -1)):
        for align in ('LEFT_RIGHT', 'RIGHT_LEFT', 'LEFT_LEFT', 'RIGHT_RIGHT'):
            for dtype in small if (low, align) == (-1, 'LEFT_RIGHT') else (np.float32,):
                x, k, padding = draw(dtype, 2, 3, 4), i32([low, high]), draw(dtype)
                part, = case('MatrixDiagPartV3', x, k, padding, align=align)
                case('MatrixSetDiagV3', x, part, k, align=align)
                case('MatrixDiagV3', part, k, i32(3), i32(4), padding, align=align)
        x = draw(np.float32, 2, 3, 4)
        part, = case('MatrixDiagPartV2', x, k, np.float32(9))
        case('MatrixSetDiagV2', x, part, k)
        case('MatrixDiagV2', part, k, i32(-1), i32(-1), np.float32(-3))
    case('MatrixDiagV3', draw(np.float32, 3), i32(2), i32(-1), i32(7), np.float32(5))
    case('MatrixDiagPartV3', np.zeros((0, 3, 3), np.float32), i32(0), np.float32(0))


def texts():
    case('StringJoin', [text('a', 'b'), np.array(b'-'), text('c', 'd')], separator='.')
    case('StringJoin', [np.zeros((0, 2), object).astype(bytes), np.array(b'x')])
    numbers = [.1, 1 / 3, 123456.789, 1e10, 1e-10, 0, -5.5, 16777216, NAN, INF, -INF]
    for dtype in (np.float32, np.float64, HALF, BFLOAT):
        for attrs in ({}, {'precision': 2}, {'scientific': True}, {'shortest': True}, {'width': 12, 'fill': '0'},
                      {'width': 9, 'precision': 1, 'fill': '+'}):
            case('AsString', np.array(numbers, np.float32).astype(dtype), **attrs)
    for dtype in (np.int8, i16, i32, i64, np.uint8, np.uint16, np.uint32, np.uint64, np.bool_):
        case('AsString', draw(dtype, 2, 2))
        if dtype != np.bool_:
            case('AsString', draw(dtype, 2, 2), width=5, fill='0')
    case('AsString', np.complex64([1 + 2.5j, -3]))
    case('AsString', text('ab', ''))
    plain = ('1', ' -7 ', '2147483647')
    for dtype, values in (('float32', ('1e5', '-2.5e-3', '.5', 'nan', 'inf', *plain)), ('float64', ('1e400', '0.1', *plain)),
                          ('int32', plain), ('int64', ('9223372036854775807', *plain))):
        case('StringToNumber', text(*values), out_type=dtype)
    for unit in ('BYTE', 'UTF8_CHAR'):
        case('StringLength', text('abc', '', '\u00e9', 'a\u20ac'), unit=unit)
    for op in ('StringLower', 'StringUpper'):
        case(op, text('aBc\u00c9z', ''))
    case('StringFormat', [np.float32([[1.5, 2], [3, 4]]), text('a', 'b')], template='x: %s, y: %s')
    case('StringFormat', [np.arange(20, dtype=i32)], template='{}', placeholder='{}', summarize=2)
    case('StringFormat', [], template='nothing')


if __name__ == '__main__':
    for section in (moving, shapes, indexing, diagonals, texts):
        section()
    R.write()
