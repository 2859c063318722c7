"""Writes tf_values_math.jsonl beside this file: arithmetic of TensorFlow 2.15.1, in every type its CPU kernels have."""
from tf_cases import BFLOAT, HALF, INF, NAN, Recorder, np, op_def_registry, record, run, tf

R = Recorder('tf_values_math')
RNG = np.random.default_rng(41)
case = R.case
i32, i64 = np.int32, np.int64
SPECIAL = [0.0, -0.0, INF, -INF, NAN, 1.0, -1.0]


def types_of(op, attr='T', without=('complex64', 'complex128', 'string')):
    allowed = next(a for a in op_def_registry.get(op).attr if a.name == attr).allowed_values.list.type
    names = [tf.as_dtype(t).name for t in allowed]
    return [tf.as_dtype(n).as_numpy_dtype for n in names
            if n not in without and not n.startswith(('q', 'variant', 'resource')) and hasattr(tf, n)]


def is_float(dtype):
    return dtype in (HALF, BFLOAT, np.float32, np.float64)


def draw(dtype, *shape, least=-9, most=9):
    """Multiples of 1/8 for floats, small integers else."""
    if dtype in (bool, np.bool_):
        return RNG.integers(0, 2, shape).astype(bool)
    if is_float(dtype):
        return (RNG.integers(least * 8, most * 8 + 1, shape) / 8).astype(np.float32).astype(dtype)
    return RNG.integers(max(least, np.iinfo(dtype).min), most + 1, shape).astype(dtype)


def normal(*shape, dtype=np.float32, scale=1.0):
    return (RNG.normal(size=shape) * scale).astype(np.float32).astype(dtype)


def each_type(op, make, attr='T', near=lambda dtype: 0.0, **attrs):
    """One case for each type that TensorFlow has a kernel of; `make(dtype)` gives the inputs."""
    for dtype in types_of(op, attr):
        try:
            case(op, *make(dtype), near=near(dtype), **attrs)
        except (tf.errors.NotFoundError, tf.errors.UnimplementedError):
            pass


# Functions of TensorFlow's own for float32 and of other libraries for float64 than ours: measured, against the largest.
NEAR = {'Exp': 2e-7, 'Expm1': 2e-7, 'Log': 2e-7, 'Log1p': 2e-7, 'Sin': 1e-7, 'Cos': 1e-7, 'Tan': 2e-7, 'Asin': 1e-7,
        'Acos': 1e-7, 'Atan': 1e-7, 'Sinh': 2e-7, 'Cosh': 2e-7, 'Tanh': 1.5e-7, 'Asinh': 2e-7, 'Acosh': 2e-7, 'Atanh': 2e-7,
        'Erf': 1.5e-7, 'Erfc': 1e-7, 'Erfinv': 3e-7, 'Ndtri': 3e-7, 'Lgamma': 2e-7, 'Digamma': 4e-7, 'Sigmoid': 2e-7,
        'Elu': 2e-7, 'Selu': 2e-7, 'Softplus': 2e-7, 'Rsqrt': 2e-7, 'Reciprocal': 1e-7, 'Inv': 1e-7, 'Pow': 2e-7, 'Atan2': 2e-7, 'Xlogy': 2e-7,
        'Xlog1py': 2e-7, 'SigmoidGrad': 1e-7, 'SqrtGrad': 1.2e-7, 'TanhGrad': 1e-7, 'SoftplusGrad': 2e-7}


def close(op):
    def of(dtype):
        if op in ('Rsqrt', 'SqrtGrad') and dtype in (HALF, BFLOAT):  # TensorFlow rounds its steps otherwise in a vector
            return 2.0**-10 if dtype == HALF else 2.0**-7
        return 0.0 if dtype in (HALF, BFLOAT) or not is_float(dtype) else NEAR.get(op, 0.0) * (
            1 if dtype == np.float32 else 2e-9)
    return of


def unary():
    points = SPECIAL + [.5, -.5, .25, 2.0, 3.0, -2.5, 7.75, -7.5, 88.0, -100.0, 1e-3, 1.5, -1.5, 2.5, .999, -.999]
    for op in ('Abs Neg Square Sqrt Rsqrt Exp Expm1 Log Log1p Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Asinh Acosh Atanh Erf '
               'Erfc Erfinv Ndtri Lgamma Digamma Sigmoid Sign Floor Ceil Rint Round Reciprocal Inv IsNan IsInf IsFinite Relu '
               'Relu6 Elu Selu Softplus Softsign LeakyRelu').split():
        def inputs(dtype):
            return (np.array(points, np.float32).astype(dtype) if is_float(dtype) else draw(dtype, 2, 5),)
        each_type(op, inputs, near=close(op))
        case(op, np.float32(.75), near=close(op)(np.float32))
        case(op, np.zeros((0, 3), np.float32))
    for op in ('Abs', 'Neg', 'Square', 'Sign', 'Relu', 'Relu6'):
        least = np.iinfo(i32).min
        case(op, i32([least, least + 1, -1, 0, 2**31 - 1]))
    each_type('Invert', lambda t: (draw(t, 3, 3),))
    case('LogicalNot', draw(bool, 5))


def binary():
    shapes = ((2, 1, 4), (3, 1))
    for op in ('Add AddV2 Sub Mul Div RealDiv TruncateDiv FloorDiv Mod FloorMod TruncateMod Pow Maximum Minimum '
               'SquaredDifference DivNoNan MulNoNan Xdivy Xlogy Xlog1py Atan2 Equal NotEqual Less LessEqual Greater '
               'GreaterEqual BitwiseAnd BitwiseOr BitwiseXor LeftShift RightShift').split():
        def inputs(dtype):
            x, y = (draw(dtype, *s) for s in shapes)
            if dtype != np.bool_ and not is_float(dtype):
                if op in ('Div', 'TruncateDiv', 'FloorDiv', 'Mod', 'FloorMod', 'TruncateMod'):
                    y = np.where(y == 0, 2, y).astype(dtype)
                if op in ('Pow', 'LeftShift', 'RightShift'):
                    y = np.abs(y) % 3
                    y = y.astype(dtype)
            return x, y
        each_type(op, inputs, near=close(op))
        if np.float32 in types_of(op):
            x = np.array(SPECIAL + [2.5, -3.0], np.float32)
            case(op, x[:, None], x, near=close(op)(np.float32))
            case(op, np.zeros((0, 3), np.float32), draw(np.float32, 1, 3))
            case(op, draw(np.float32, 4), np.float32(1.5), near=close(op)(np.float32))
    for op in ('LogicalAnd', 'LogicalOr'):
        case(op, draw(bool, 3, 1), draw(bool, 2, 1, 4))
    least, most = -2**31, 2**31 - 1
    for op in ('Add', 'Sub', 'Mul', 'SquaredDifference', 'Maximum', 'Minimum'):
        case(op, i32([least, most, least, most]), i32([least, most, -1, 1]))
    for op in ('Equal', 'NotEqual'):
        case(op, draw(np.float32, 2, 3), draw(np.float32, 4), incompatible_shape_error=False)
        case(op, np.array([b'a', b'bc', b'']), np.array([b'a', b'b', b'']))
    case('Add', np.array([b'a', b'bc']), np.array(b'-x'))
    each_type('ApproximateEqual', lambda t: (draw(t, 3, 4), draw(t, 3, 4)))
    case('ApproximateEqual', np.float32([0, 1, NAN, INF, INF]), np.float32([.4, 2, NAN, INF, -INF]), tolerance=.5)
    case('LeftShift', i32([1, -1, 5]), i32([31, 40, -1]))
    case('RightShift', i32([-8, 8, -1]), i32([1, 33, -5]))


def selections():
    each_type('ClipByValue', lambda t: (draw(t, 3, 5), np.array(0, t), np.array(3, t)))
    case('ClipByValue', np.float32([NAN, INF, -INF, 1, 9]), np.float32([0, 0, 0, 2, 2]), np.float32([5, 5, 5, 5, NAN]))
    for dtype in (np.float32, HALF, BFLOAT, np.float64, i32, np.uint8, np.bool_, np.complex64):
        x, y = (draw(np.float32, 3, 4).astype(dtype) for _ in 'xy')
        case('Select', draw(bool, 3, 4), x, y)
        case('Select', draw(bool, 3), x, y)
        case('Select', np.bool_(False), x, y)
        case('SelectV2', draw(bool, 3, 1), x, y[:1])
    case('Select', np.zeros(0, bool), np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32))
    case('Select', draw(bool, 2), np.array([b'a', b'b']), np.array([b'c', b'd']))
    for dtype in (np.float32, np.float64, i32, i64, np.uint8, np.int8, np.int16, np.uint16, np.bool_, np.complex64):
        case('Where', (draw(np.float32, 3, 4) > 3).astype(dtype))
    case('Where', np.float32([0, -0.0, NAN, INF]))
    case('Where', np.zeros((0, 3), bool))
    case('Where', np.zeros((2, 2), bool))


def casts():
    plain = [HALF, BFLOAT, np.float32, np.float64, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32,
             np.uint64, np.bool_, np.complex64, np.complex128]
    for source in plain:
        x = draw(np.float32, 6, least=0 if np.dtype(source).kind == 'u' else -9).astype(source)
        for target in plain:
            # A negative float has no unsigned value.
            small = np.abs(x) if np.dtype(source).kind not in 'ub' and source != np.bool_ else x
            unsigned = np.dtype(target).kind == 'u' and np.dtype(source).kind in 'fVc'
            case('Cast', small.astype(source) if unsigned else x, DstT=tf.as_dtype(target).name)
    for target in ('half', 'bfloat16', 'float'):
        case('Cast', np.array([1 + 2.0**-11, 1.0039, 3.3, 1e-8, 65520, 1e40, NAN, -INF]), DstT=tf.as_dtype(target).name,
             Truncate=False)
    case('Cast', np.float32([1.0039, 3.3, 65519, 1e-8, -2.999]), DstT='bfloat16', Truncate=True)
    case('Cast', np.float32([1.0039, 3.3, 65519, 1e-8, -2.999]), DstT='float16', Truncate=True)
    case('Cast', i32([-1, 256, 70000, 2**31 - 1]), DstT='uint8')
    case('Cast', np.zeros((0, 2), i32), DstT='float32')


def gradients():
    for op in 'ReluGrad Relu6Grad EluGrad SeluGrad LeakyReluGrad SoftplusGrad SoftsignGrad'.split():
        each_type(op, lambda t: (draw(t, 3, 7), draw(t, 3, 7)), near=close(op))
        case(op, np.float32([1, NAN, INF, 2, 0]), np.float32([NAN, 1, INF, -INF, 0]), near=close(op)(np.float32))
    for op in 'SigmoidGrad TanhGrad SqrtGrad RsqrtGrad ReciprocalGrad InvGrad'.split():
        each_type(op, lambda t: (draw(t, 2, 16, least=1), draw(t, 2, 16, least=1)),
                  near=close(op))
    each_type('AddN', lambda t: ([draw(t, 2, 3) for _ in range(10)],))
    each_type('BiasAdd', lambda t: (draw(t, 2, 3, 4), draw(t, 4)))
    each_type('BiasAddGrad', lambda t: (draw(t, 2, 3, 4),))
    each_type('Softmax', lambda t: (draw(t, 3, 7),), near=lambda t: {HALF: 0.0, BFLOAT: 4e-3}.get(t, 2e-7))
    each_type('LogSoftmax', lambda t: (draw(t, 3, 7),), near=lambda t: {HALF: 0.0, BFLOAT: 0.0}.get(t, 2e-7))
    each_type('SoftmaxCrossEntropyWithLogits', lambda t: (draw(t, 3, 7), np.eye(7, dtype=t)[:3]), near=lambda t: 2e-7)
    each_type('SparseSoftmaxCrossEntropyWithLogits', lambda t: (draw(t, 3, 7), i64([0, 6, 2])), near=lambda t: 2e-7)
    each_type('L2Loss', lambda t: (draw(t, 3, 7),), near=lambda t: 0.0)


def reductions():
    for op in 'Sum Prod Mean Max Min EuclideanNorm'.split():
        def inputs(dtype, op=op):
            x = draw(dtype, 3, 5, 4)
            if op == 'Prod':
                x = np.where(x < dtype(0), dtype(1), dtype(2))
            return x.astype(dtype), i32([0, 2])
        each_type(op, inputs, near=lambda t: 0.0)
        case(op, np.zeros((0, 3), np.float32), i32([0]))
        case(op, np.zeros((2, 0), np.float32), i32([0]))
        case(op, draw(np.float32, 3, 4), i64(-1), keep_dims=True)
        case(op, np.float32([[NAN, 1, 2], [INF, -INF, 1], [INF, 3, INF]]), i32([1]))
        case(op, draw(np.float32, 3, 4), np.zeros(0, i32))
    for dtype in (HALF, BFLOAT):
        for op in 'Sum Mean Prod'.split():
            scale = .01 if op == 'Prod' else 1
            for shape in ((7, 130), (130, 7), (3, 5, 70)):
                x = (1 + normal(*shape, scale=scale)).astype(dtype)
                case(op, x, i32(1))
                case(op, x, i32([0]))
                case(op, x, i32(range(len(shape))))
    for op in ('Cumsum', 'Cumprod'):
        each_type(op, lambda t: (draw(t, 2, 5, 3, least=1, most=2), i32(1)))
        for exclusive in (False, True):
            for reverse in (False, True):
                case(op, np.float32([[1, 2, .5, 3], [NAN, 1, 0, INF]]), i64(-1), exclusive=exclusive, reverse=reverse)
        case(op, np.zeros((2, 0), np.float32), i32(1))
    for op in ('ArgMax', 'ArgMin'):
        each_type(op, lambda t: (draw(t, 4, 6), i32(1)))
        case(op, draw(np.float32, 4, 6), i64(0), output_type='int32')
    case('ArgMax', draw(np.float32, 4, 6), i32(1), output_type='uint16')
    for op in ('All', 'Any'):
        case(op, draw(bool, 3, 4), i64([0, 1]))


def counting():
    each_type('TopKV2', lambda t: (draw(t, 3, 9), i32(4)))
    # The kernel of the old op cannot be found in TensorFlow 2.15; its results were those of the new one.
    for x, k in ((draw(np.float32, 3, 9), 4), (draw(i32, 7), 7), (draw(np.float32, 2, 7), 0)):
        values, indices = run('TopKV2', [x, i32(k)], {})
        R.add('TopK', [record(x)], [record(values), record(indices)], 0.0, {'k': k})
    case('TopKV2', draw(np.float32, 3, 9), i32(9), sorted=True)
    case('InTopK', draw(np.float32, 4, 6), i32([0, 5, 2, 1]), k=2)
    case('InTopK', np.float32([[1, NAN, 2], [INF, 1, 0], [3, 3, 3]]), i64([2, 1, 0]), k=1)
    for dtype in (np.float32, np.float64):
        for count in (1, 2, 7):
            case('LinSpace', dtype(-1), dtype(2.5), i32(count))
    case('LinSpace', np.float32(0), np.float32(10), i64(11))
    for dtype in (i32, i64):
        case('InvertPermutation', dtype([3, 0, 2, 1]))
        case('ListDiff', dtype([1, 2, 3, 4, 5, 3]), dtype([2, 4]))
    case('InvertPermutation', np.zeros(0, i32))
    case('ListDiff', np.float32([1.5, NAN, 2]), np.float32([2, NAN]), out_idx='int64')
    case('ListDiff', np.array([b'x', b'y', b'x']), np.array([b'y']))
    for dtype in (i32, i64, np.float32, np.float64):
        case('Bincount', i32([1, 3, 1, 9, 0]), i32(5), np.zeros(0, dtype))
        case('Bincount', i32([1, 3, 1, 9, 0]), i32(5), draw(dtype, 5))
        case('DenseBincount', i64([[1, 3, 1], [0, 9, 3]]), i64(5), np.zeros(0, dtype))
        case('DenseBincount', i32([[1, 3, 1], [0, 9, 3]]), i32(4), draw(dtype, 2, 3))
        case('DenseBincount', i32([1, 3, 1]), i32(4), np.zeros(0, dtype), binary_output=True)
    each_type('Cross', lambda t: (draw(t, 2, 4, 3), draw(t, 2, 4, 3)))


def segments():
    ids = i32([0, 0, 1, 1, 1, 4])
    for op in 'SegmentSum SegmentMean SegmentMax SegmentMin SegmentProd'.split():
        each_type(op, lambda t: (draw(t, 6, 3, least=1, most=3), ids))
        case(op, draw(np.float32, 6), i64(ids))
        case(op, np.zeros((0, 3), np.float32), np.zeros(0, i32))
    for op in 'UnsortedSegmentSum UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd'.split():
        each_type(op, lambda t: (draw(t, 6, 3, least=1, most=3), i32([2, 0, -1, 2, 0, 5]), i32(6)))
        case(op, draw(np.float32, 2, 3, 2), i64([[1, 0, 1], [1, 0, 0]]), i64(3))
        case(op, np.float32([1, NAN, 2]), i32([0, 1, 0]), i32(3))
        case(op, np.zeros((0, 2), np.float32), np.zeros(0, i32), i32(2))


def products():
    for op in ('MatMul', 'BatchMatMul', 'BatchMatMulV2'):
        lead = () if op == 'MatMul' else (2,)
        # Small whole numbers: every sum is exact.
        def whole(dtype, *shape):
            return np.round(draw(dtype, *shape, least=-3, most=3).astype(np.float64)).astype(dtype)
        each_type(op, lambda t: (whole(t, *lead, 3, 5), whole(t, *lead, 5, 4)))
    for dtype in (HALF, BFLOAT):
        a, b = normal(5, 37, dtype=dtype), normal(37, 6, dtype=dtype)
        case('MatMul', a, b)
        case('MatMul', np.ascontiguousarray(a.T), np.ascontiguousarray(b.T), transpose_a=True, transpose_b=True)
        case('BatchMatMulV2', normal(2, 1, 3, 19, dtype=dtype), normal(3, 4, 19, dtype=dtype), adj_y=True)
        # Small transposed products are added up in a tree in TensorFlow.
        case('BatchMatMulV2', normal(2, 1, 3, 9, dtype=dtype), normal(3, 4, 9, dtype=dtype), adj_y=True, near=2e-3)
    case('BatchMatMulV2', draw(np.float32, 2, 1, 3, 4), draw(np.float32, 5, 4, 2))
    case('BatchMatMulV2', draw(np.float32, 2, 3, 0), draw(np.float32, 2, 0, 2))
    case('BatchMatMulV2', draw(np.float32, 0, 3, 2), draw(np.float32, 1, 2, 2))
    case('BatchMatMulV3', np.int8([[[1, -2], [3, 100]]]), np.int8([[[5, 6], [-7, 100]]]), Tout='int32')
    case('MatMul', np.float32([[NAN, 0], [INF, 1]]), np.float32([[1, 0], [0, 2]]))
    for equation, shapes in (('ij,jk->ik', ((3, 4), (4, 5))), ('bij,bjk->bik', ((2, 3, 4), (2, 4, 2))), ('ij->ji', ((3, 4),)),
                             ('ii->i', ((4, 4),)), ('ii->', ((4, 4),)), ('i->', ((5,),)), ('i,j->ij', ((3,), (4,))),
                             ('...ij,...jk->...ik', ((2, 1, 3, 4), (5, 4, 2))), ('ij...,jk...->ik...', ((3, 4, 2), (4, 5, 1))),
                             ('i->ii', ((3,),)), ('ijj,k->ik', ((2, 3, 3), (4,))), ('abc,cd->abd', ((2, 3, 4), (4, 5))),
                             ('bhqd,bhkd->bhqk', ((2, 2, 3, 4), (2, 2, 5, 4))), ('ab,ab->', ((3, 4), (3, 4))),
                             ('...->...', ((2, 3),)), ('ij,jk->ik', ((0, 4), (4, 5))), ('ij,jk->ik', ((3, 0), (0, 5))),
                             ('ba,ac->cb', ((3, 4), (4, 2))), ('a...a->a...', ((3, 2, 3),))):
        for dtype in (np.float32, np.float64, i32) if equation.count(',') == 1 else (np.float32, i64):
            # Whole numbers: sums in any order are the same.
            case('Einsum', [np.round(draw(dtype, *s).astype(np.float64)).astype(dtype) for s in shapes], equation=equation)
    case('Einsum', [draw(BFLOAT, 3, 4, most=2), draw(BFLOAT, 4, 2, most=2)], equation='ij,jk->ik')


def linear_algebra():
    a = normal(2, 4, 4) + 3 * np.eye(4, dtype=np.float32)
    spd = (a @ np.swapaxes(a, 1, 2)).astype(np.float32)
    for dtype, near_enough in ((np.float32, 2e-5), (np.float64, 2e-14)):
        case('MatrixInverse', a.astype(dtype), near=near_enough)
        case('MatrixInverse', a.astype(dtype)[0], adjoint=True, near=near_enough)
        case('MatrixSolve', a.astype(dtype), normal(2, 4, 3, dtype=dtype), near=near_enough)
        case('MatrixSolve', a.astype(dtype), normal(2, 4, 1, dtype=dtype), adjoint=True, near=near_enough)
        case('MatrixDeterminant', a.astype(dtype), near=near_enough)
        case('Cholesky', spd.astype(dtype), near=near_enough)
    for op in ('MatrixInverse', 'Cholesky', 'MatrixDeterminant'):
        case(op, np.zeros((2, 0, 0), np.float32))
        case(op, np.zeros((0, 3, 3), np.float32))


def complex_numbers():
    x = np.array([3 - 4j, -1, 1j, 0, -2.5 + .5j, complex(INF, -1), complex(NAN, 0)])
    for dtype, part in ((np.complex64, np.float32), (np.complex128, np.float64)):
        near_enough = 1e-7 if dtype == np.complex64 else 1e-15
        z, out = x.astype(dtype), {'Tout': np.dtype(part).name}
        case('Real', z, **out)
        case('Imag', z, **out)
        case('ComplexAbs', z, **out, near=near_enough)
        case('Angle', z, **out, near=near_enough)
        case('Conj', z)
        case('Complex', draw(part, 2, 1), draw(part, 3), Tout=np.dtype(dtype).name)
        case('Complex', np.zeros((0, 2), part), draw(part, 2), Tout=np.dtype(dtype).name)


def random_numbers():
    shape, seed = i32([2, 7]), i64([3, 4])
    key, counter, alg = run('StatelessRandomGetKeyCounterAlg', [seed], {})
    case('StatelessRandomGetKeyCounterAlg', seed)
    case('StatelessRandomGetKeyCounter', seed)
    case('StatelessRandomGetAlg')
    state = dict(seed=5, seed2=7)
    def around(dtype):
        return 0.0 if dtype in ('half', 'bfloat16') else 3e-7 if dtype == 'float' else 1e-15
    for dtype in ('half', 'bfloat16', 'float', 'double'):
        for op in ('Uniform', 'Normal'):
            case('StatelessRandom' + op, shape, seed, dtype=dtype, near=around(dtype))
            case('StatelessRandom' + op + 'V2', shape, key, counter, alg, dtype=dtype, near=around(dtype))
        case('StatelessTruncatedNormal', shape, seed, dtype=dtype, near=around(dtype))
        case('StatelessTruncatedNormalV2', shape, key, counter, alg, dtype=dtype, near=around(dtype))
        for op in ('RandomUniform', 'RandomStandardNormal', 'TruncatedNormal'):
            case(op, shape, dtype=dtype, near=around(dtype), **state)
        logits = draw(tf.as_dtype(dtype).as_numpy_dtype, 3, 5, least=-1, most=1)
        case('Multinomial', logits, i32(9), **state)
        case('StatelessMultinomial', logits, i32(9), seed, output_dtype='int32')
    for dtype in (i32, i64):
        case('RandomUniformInt', shape, dtype(-5), dtype(100), **state)
        case('StatelessRandomUniformInt', shape, seed, dtype(-5), dtype(100))
        case('StatelessRandomUniformIntV2', shape, key, counter, alg, dtype(5), dtype(100))
    for dtype in (i32, i64, np.uint32, np.uint64):
        case('StatelessRandomUniformFullIntV2', shape, key, counter, alg, dtype=np.dtype(dtype).name)
        case('StatelessRandomUniformFullInt', shape, seed, dtype=np.dtype(dtype).name)
    for dtype in (np.float32, HALF, i64, np.bool_, np.uint8):
        case('RandomShuffle', draw(dtype, 9, 2), **state)
    case('RandomShuffle', np.array([b'a', b'b', b'c', b'd']), **state)


if __name__ == '__main__':
    for section in (unary, binary, selections, casts, gradients, reductions, counting, segments, products, linear_algebra,
                    complex_numbers, random_numbers):
        section()
    R.write()
