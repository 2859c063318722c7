"""Writes tf_errors.jsonl beside this file: calls that TensorFlow 2.15.1 refuses, with the kind and text of its error."""
import re

from tf_cases import NAN, Recorder, counts, json, np, record, run, tf

R = Recorder('tf_errors')
i32, i64, f32 = np.int32, np.int64, np.float32
HUGE = 2**62


def bad(op, *inputs, text=True, **attrs):
    """`text`: whether ours says the same."""
    try:
        run(op, inputs, attrs)
    except tf.errors.OpError as e:
        message = re.sub(r'^\{\{function_node [^}]*\}\} ', '', e.message)
        message = re.sub(r' \[Op:\w+\].*$', '', message, flags=re.S).strip()
        message = re.sub(r', node name: \w+$', '', re.sub(r'operation \w+ of type', 'operation node of type', message))
        flat = [v for x in inputs for v in (x if isinstance(x, list) else [x])]
        R.lines.append(json.dumps({'op': op, 'attrs': {**counts(op, inputs), **attrs}, 'inputs': [record(v) for v in flat],
                                   'kind': type(e).__name__, 'text': message if text else ''}))
        return
    raise AssertionError(f'{op} took {inputs}, {attrs}')


def ones(*shape, dtype=f32):
    return np.ones(shape, dtype)


def arithmetic():
    for op in ('Add', 'Mul', 'Maximum', 'Equal', 'BitwiseAnd', 'Atan2', 'Xlog1py', 'Mod', 'SelectV2'):
        x, y = (i32([1, 2, 3]), i32([1, 2])) if op == 'BitwiseAnd' else (f32([1, 2, 3]), f32([1, 2]))
        bad(op, *((np.bool_([True]), x, y) if op == 'SelectV2' else (x, y)), text=op != 'SelectV2')
    for op in ('Div', 'FloorDiv', 'Mod', 'FloorMod'):  # TensorFlow's TruncateDiv calls its own refusal unexpected
        bad(op, i32([1, 2]), i32([1, 0]))
        if op != 'Mod':
            bad(op, np.uint8([1, 2]), np.uint8(0))
    bad('Pow', i32([2, 2]), i32([1, -1]))
    bad('ApproximateEqual', ones(2), ones(3))
    bad('ClipByValue', ones(2, 3), ones(2), f32(1))
    bad('Select', np.bool_([True, False]), ones(2), ones(3))
    bad('Select', np.bool_([True, False, True]), ones(2, 2), ones(2, 2))
    bad('Select', np.bool_([[True]]), ones(2), ones(2))
    bad('Where', np.bool_(True))
    bad('AddN', [ones(2), ones(3)])
    for op in ('ReluGrad', 'SoftplusGrad', 'EluGrad'):
        bad(op, ones(2), ones(3))
    for values in ([NAN, 1], [np.inf], [NAN, -np.inf]):
        bad('CheckNumerics', f32(values), message='m')
        bad('CheckNumericsV2', f32(values), message='m')
    bad('Cross', ones(2, 2), ones(2, 2))
    bad('Cross', ones(2, 3), ones(3))
    for op, args in (('LinSpace', (f32(0), f32(1))), ('Range', (i32(0), i32(5)))):
        bad(op, *args, i32(0))
    bad('LinSpace', f32([0]), f32(1), i32(3))
    bad('LinSpace', f32(0), f32(1), i32(-1))
    bad('Range', f32(0), f32(5), f32(-1))
    bad('Range', i64(0), i64(HUGE), i64(1), text=False)


def reductions():
    for op in ('Sum', 'Mean', 'Prod', 'Max'):
        bad(op, ones(2, 3), i32([2]), text=False)
        bad(op, ones(2, 3), i32([0, -2]), text=False)
    for op in ('Cumsum', 'Cumprod'):
        bad(op, ones(2), i32(1), text=False)
        bad(op, ones(2), i32([0]), text=False)
    for op in ('ArgMax', 'ArgMin'):
        bad(op, ones(2, 3), i32(2), text=False)
        bad(op, ones(2, 0), i32(1))
        bad(op, ones(2, 3), i32([0]), text=False)
    bad('TopKV2', ones(2, 3), i32(4))
    bad('TopKV2', ones(2, 3), i32(-1))
    bad('TopKV2', f32(1), i32(1))
    bad('TopKV2', ones(3), i32([1]), text=False)
    bad('InTopK', ones(2), i32([0, 1]), k=1)
    bad('InTopK', ones(2, 3), i32([0]), k=1)
    for op in ('InvertPermutation',):
        bad(op, i32([0, 0]))
        bad(op, i32([2, 0]))
        bad(op, i32([-1, 0]))
        bad(op, i32([[0]]))
    bad('ListDiff', i32([[1]]), i32([1]))
    bad('ListDiff', i32([1]), i32(1))
    none = np.zeros(0, f32)
    bad('Bincount', i32([1]), i32(-1), none)
    bad('Bincount', i32([-1]), i32(3), none)
    bad('Bincount', i32([1, 2]), i32(3), ones(3))
    bad('Bincount', i32([1]), i32([3]), none)
    bad('DenseBincount', i32([-1]), i32(3), none)
    bad('DenseBincount', i32([[[1]]]), i32(3), none)
    bad('DenseBincount', i32([1]), i32(-3), none)
    bad('DenseBincount', i32([1, 2]), i32(3), ones(3))
    for op in ('SegmentSum', 'SegmentMean', 'SegmentMax', 'SegmentProd'):
        bad(op, ones(3, 2), i32([0, 1]))
        bad(op, ones(3, 2), i32([0, 2, 1]))
        bad(op, ones(3, 2), i32([-1, 0, 1]))
        bad(op, ones(1, 2), i32([[0]]))
        bad(op, f32(1), i32([0]), text=False)
    bad('SegmentSum', ones(1, 2), i64([HUGE]), text=False)
    for op in ('UnsortedSegmentSum', 'UnsortedSegmentMax'):
        bad(op, ones(2), i32([0, 3]), i32(2))
        bad(op, ones(2), i32([0]), i32(2))
        bad(op, ones(2), i32([0, 1]), i32(-1))
        bad(op, ones(2), i32([0, 1]), i32([2]))


def products():
    bad('MatMul', ones(2, 3), ones(2, 3))
    bad('MatMul', ones(2), ones(2, 3), text=False)
    bad('BatchMatMulV2', ones(2, 3), ones(2, 3), text=False)
    bad('BatchMatMulV2', ones(3), ones(3, 2))
    bad('BatchMatMulV2', ones(2, 2, 3), ones(3, 3, 2), text=False)
    bad('BatchMatMul', ones(2, 2, 3), ones(3, 3, 2))
    bad('BatchMatMul', ones(2, 2, 3), ones(3, 2), text=False)
    for equation, shapes in (('ij,jk', ((2, 3), (3, 2))), ('ij->ij->ij', ((2, 3),)), ('ij,jk->ik', ((2, 3),)), ('ij->ij', ((2, 3, 4),)),
                             ('ij,jk->ik', ((2, 3), (2, 3))), ('ii->i', ((2, 3),)), ('i..j->ij', ((2, 3),)), ('...i,...i->...', ((2, 3), (4, 3)))):
        bad('Einsum', [ones(*s) for s in shapes], equation=equation, text=False)
    singular = f32([[1, 2], [2, 4]])
    for op in ('MatrixInverse', 'Cholesky', 'MatrixDeterminant'):
        bad(op, ones(2, 3), text=False)
        bad(op, ones(3), text=False)
    bad('MatrixInverse', singular)
    bad('MatrixSolve', singular, ones(2, 1))
    bad('MatrixSolve', ones(2, 2), ones(3, 1), text=False)


def moving():
    x = ones(2, 3)
    bad('Roll', x, i32([1]), i32([2]))
    bad('Roll', x, i32([1, 2]), i32([0]))
    bad('Roll', f32(1), i32(1), i32(0))
    bad('Roll', x, i32([[1]]), i32([0]))
    bad('Reverse', x, np.bool_([True]))
    bad('ReverseV2', x, i32([2]), text=False)
    bad('ReverseV2', x, i32([0, -2]))
    bad('ReverseSequence', x, i32([1, 1]), seq_dim=0, batch_dim=0)
    bad('ReverseSequence', x, i32([1, 4]), seq_dim=1, batch_dim=0)
    bad('ReverseSequence', x, i32([1, -1]), seq_dim=1, batch_dim=0)
    bad('ReverseSequence', x, i32([1]), seq_dim=1, batch_dim=0)
    bad('ReverseSequence', x, i32([1, 1]), seq_dim=2, batch_dim=0)
    bad('ReverseSequence', x, i32([1, 1]), seq_dim=1, batch_dim=2)
    bad('Concat', i32(2), [x, x], text=False)
    bad('Concat', i32(0), [x, ones(2, 2)], text=False)
    bad('ConcatV2', [x, ones(2)], i32(0), text=False)
    bad('ConcatV2', [x, x], i32([0, 1]), text=False)
    bad('ConcatOffset', i32(1), [i32([2, 2, 7]), i32([2, 3, 6])])
    bad('ConcatOffset', i32(3), [i32([2, 2, 7]), i32([2, 3, 7])])
    bad('ConcatOffset', i32(0), [i32([2, 2]), i32([2])])
    bad('Split', i32(1), x, num_split=2)
    bad('Split', i32(2), x, num_split=2, text=False)
    bad('SplitV', x, i32([1, 1]), i32(1), num_split=2, text=False)
    bad('SplitV', x, i32([-1, -1]), i32(1), num_split=2, text=False)
    bad('SplitV', x, i32([1, 2, 0]), i32(1), num_split=2, text=False)
    bad('SplitV', x, i32([4, -1]), i32(1), num_split=2, text=False)
    bad('Slice', x, i32([0, 0]), i32([3, 1]))
    bad('Slice', x, i32([0, 4]), i32([1, 0]))
    bad('Slice', x, i32([0]), i32([1]), text=False)
    bad('Slice', x, i64([1, 0]), i64([HUGE * 2 - 1, 1]), text=False)
    bad('StridedSlice', x, i32([0]), i32([1]), i32([0]))
    bad('StridedSlice', x, i32([2]), i32([3]), i32([1]), shrink_axis_mask=1, text=False)
    bad('StridedSlice', x, i32([0, 0, 0]), i32([1, 1, 1]), i32([1, 1, 1]))
    bad('StridedSliceGrad', i32([3]), i32([0]), i32([2]), i32([1]), ones(3), text=False)
    bad('StridedSliceGrad', i32([-3]), i32([0]), i32([2]), i32([1]), ones(2), text=False)
    bad('Pad', x, i32([[1, 1]]), text=False)
    bad('Pad', x, i32([[-1, 1], [0, 0]]))
    bad('MirrorPad', x, i32([[2, 0], [0, 0]]), mode='REFLECT', text=False)
    bad('Tile', x, i32([1]), text=False)
    bad('Tile', x, i32([1, -1]))
    bad('Tile', x, i64([HUGE, HUGE]), text=False)
    bad('BroadcastTo', x, i32([3, 3]), text=False)
    bad('BroadcastTo', x, i32([3]), text=False)
    bad('BroadcastTo', x, i64([-2, 2, 3]), text=False)
    bad('Fill', i32([-2]), f32(1), text=False)
    bad('Fill', i64([HUGE, HUGE]), f32(1), text=False)
    bad('Fill', i32([2]), ones(2), text=False)
    bad('Reshape', x, i32([4]))
    bad('Reshape', x, i32([-1, -1]))
    bad('Reshape', x, i32([-1, 4]))
    bad('Reshape', x, i64([HUGE, HUGE]), text=False)
    bad('Transpose', x, i32([0, 0]), text=False)
    bad('Transpose', x, i32([0]))
    bad('Squeeze', x, squeeze_dims=[0])
    bad('Squeeze', x, squeeze_dims=[2], text=False)
    bad('ExpandDims', x, i32(3), text=False)
    bad('Unpack', x, num=3, axis=0)
    bad('Pack', [x, ones(2)])
    bad('Pack', [x, x], axis=3, text=False)
    bad('OneHot', i32([0]), i32(-1), f32(1), f32(0))
    bad('OneHot', i32([0]), i32([2]), f32(1), f32(0), text=False)
    bad('Empty', i32([-2, 3]), dtype='float32', text=False)
    bad('Empty', i32([[2]]), dtype='float32', text=False)
    bad('EnsureShape', x, shape=[2, 4])
    bad('BroadcastArgs', i32([2]), i32([3]))
    bad('BroadcastArgs', i32([[2]]), i32([3]))
    bad('BroadcastGradientArgs', i32([2]), i32([3]))
    bad('UnravelIndex', i32([7]), i32([2, 3]))
    bad('UnravelIndex', i32([1]), i32([2, 0]), text=False)
    bad('Bitcast', np.uint8([1, 2, 3]), type='float32', text=False)
    bad('Bitcast', np.uint8(1), type='float32', text=False)
    bad('ParallelConcat', [x, x], shape=[2, 3], text=False)


def indexing():
    x = ones(3, 2)
    bad('Gather', x, i32([3]))
    bad('GatherV2', x, i32([-1]), i32(0))
    bad('GatherV2', x, i32([0]), i32(2), text=False)
    bad('GatherV2', x, i32([[0]]), i32(1), batch_dims=2, text=False)
    bad('GatherNd', x, i32([[3, 0]]))
    bad('GatherNd', x, i32([[0, 0, 0]]))
    bad('GatherNd', x, i32(0), text=False)
    bad('ScatterNd', i32([[3]]), ones(1, 2), i32([3, 2]))
    bad('ScatterNd', i32([[-1]]), ones(1, 2), i32([3, 2]))
    bad('ScatterNd', i32([[0]]), ones(2, 2), i32([3, 2]), text=False)
    bad('ScatterNd', i32([[0, 0, 0]]), ones(1), i32([3, 2]), text=False)
    bad('ScatterNd', i32([[0]]), ones(1, 2), i32([-3, 2]), text=False)
    bad('ScatterNd', i32([[0]]), ones(1, 2), i32(3), text=False)
    bad('ScatterNd', i32([[0]]), ones(1, 2), i32([0, 2]), text=False)
    bad('ScatterNd', i64([[0]]), ones(1), i64([HUGE * 2 - 1]), text=False)
    for op in ('Update', 'Add', 'Max'):
        bad('TensorScatter' + op, x, i32([[3]]), ones(1, 2))
        bad('TensorScatter' + op, x, i32([[0]]), ones(1, 3), text=False)
        bad('TensorScatter' + op, x, i32(0), ones(2), text=False)
        bad('TensorScatter' + op, f32(1), i32([[0]]), ones(1), text=False)
    for op in ('DynamicStitch', 'ParallelDynamicStitch'):
        bad(op, [i32([0, -1])], [ones(2)])
        bad(op, [i32([0, 1])], [ones(3)])
        bad(op, [i32([0]), i32([1])], [ones(1, 2), ones(1, 3)], text=False)
    bad('DynamicPartition', ones(2), i32([0, 3]), num_partitions=2)
    bad('DynamicPartition', ones(2), i32([0, -1]), num_partitions=2)
    bad('DynamicPartition', ones(2), i32([0]), num_partitions=2)
    bad('Unique', i32([[1]]))
    bad('UniqueV2', i32([[1]]), i32([2]))
    bad('UniqueV2', i32([[1]]), i32([0, 1]))
    bad('UniqueV2', i32([[1]]), np.zeros(0, i32), text=False)
    bad('Diag', f32(1))
    bad('DiagPart', ones(2, 3), text=False)
    bad('DiagPart', ones(2), text=False)
    bad('MatrixDiag', f32(1))
    bad('MatrixDiagPart', ones(2))
    bad('MatrixSetDiag', ones(2, 3), ones(3))
    bad('MatrixSetDiag', ones(2), ones(2))
    bad('MatrixBandPart', ones(2), i32(0), i32(0))
    bad('MatrixBandPart', ones(2, 2), i32(3), i32(0))
    bad('MatrixBandPart', ones(2, 2), i32([0]), i32(0), text=False)
    bad('MatrixDiagPartV3', ones(2, 2), i32([1, 0]), f32(0))
    bad('MatrixDiagPartV3', ones(2, 2), i32([2]), f32(0))
    bad('MatrixDiagPartV3', ones(2, 2), i32([0, 1, 2]), f32(0))
    bad('MatrixDiagPartV3', ones(2), i32(0), f32(0))
    bad('MatrixDiagV3', ones(2), i32(0), i32(1), i32(-1), f32(0))
    bad('MatrixDiagV3', ones(3, 2), i32([0, 1]), i32(-1), i32(-1), f32(0))
    bad('MatrixDiagV3', ones(2), i32(1), i32(-1), i32(7), f32([0, 1]), text=False)
    bad('MatrixSetDiagV3', ones(3, 3), ones(2), i32(0))
    bad('MatrixSetDiagV3', ones(3, 3), ones(3), i32(3), text=False)
    bad('MatrixSetDiagV3', ones(3, 3), ones(2, 3), i32([1, 0]))


def texts():
    words = np.array([b'a', b'bc'], object)
    bad('StringJoin', [words, np.array([b'x', b'y', b'z'], object)])
    bad('StringToNumber', words, out_type='float32')
    bad('StringToNumber', np.array(b'2147483648', object), out_type='int32')
    bad('StringFormat', [i32(1)], template='%s %s')
    bad('AsString', f32(1), precision=2, scientific=True, shortest=True)
    bad('AsString', i32(1), scientific=True)
    bad('AsString', i32(1), fill='xx')
    bad('AsString', i32(1), fill='x')
    bad('Assert', np.bool_(False), [f32([1, 2, 3, 4]), np.array([b'why'], object), np.bool_(True)])
    bad('Assert', np.bool_(False), [np.arange(12, dtype=i32).reshape(3, 4)], summarize=5)
    bad('Assert', np.bool_(False), [np.arange(12, dtype=i32).reshape(3, 4)], summarize=-1)
    bad('Assert', np.bool_([False]), [i32(1)])


def random_numbers():
    shape, seed = i32([2]), i64([1, 2])
    bad('RandomUniform', i32([-1]), dtype='float32', text=False)
    bad('RandomUniform', i32(2), dtype='float32', text=False)
    bad('RandomUniformInt', shape, i32(5), i32(5))
    bad('RandomUniformInt', shape, i32([0]), i32(5), text=False)
    bad('StatelessRandomUniform', shape, i64([1]))
    bad('StatelessRandomUniform', i64([HUGE, HUGE]), seed, text=False)
    bad('StatelessRandomUniformInt', shape, seed, i32(5), i32(5))
    key, counter, alg = run('StatelessRandomGetKeyCounterAlg', [seed], {})
    bad('StatelessRandomUniformV2', shape, np.zeros(2, np.uint64), counter, alg, text=False)
    bad('StatelessRandomUniformV2', shape, key, counter, i32(9), text=False)
    bad('Multinomial', ones(2), i32(1))
    bad('Multinomial', ones(2, 3), i32(-1))
    bad('Multinomial', ones(2, 0), i32(1))


if __name__ == '__main__':
    for section in (arithmetic, reductions, products, moving, indexing, texts, random_numbers):
        section()
    R.write()
