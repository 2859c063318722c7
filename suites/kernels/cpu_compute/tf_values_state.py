"""Writes tf_values_state.jsonl beside this file: ops of TensorFlow 2.15.1 on variables.

A variable among the inputs is recorded as ["variable", value before, value after]."""
from tf_cases import BFLOAT, HALF, INF, NAN, Recorder, np, op_def_registry, record, tf

R = Recorder('tf_values_state')
RNG = np.random.default_rng(47)
i32, i64 = np.int32, np.int64
NUMBERS = [HALF, BFLOAT, np.float32, np.float64, np.int8, np.int16, i32, i64, np.uint8, np.uint16, np.uint32, np.uint64]


def draw(dtype, *shape):
    if dtype == 'string':
        return np.array([(b'', b'a', b'bc')[n] for n in RNG.integers(0, 3, shape).reshape(-1)], object).reshape(shape)
    return RNG.integers(1, 9, shape).astype(np.float32).astype(dtype)


def on_resource(op, before, *values, **attrs):
    """The first argument of the op is the variable."""
    variable = tf.Variable(before)
    names = [a.name for a in op_def_registry.get(op).input_arg]
    out = getattr(tf.raw_ops, op)(**dict(zip(names, [variable.handle, *map(tf.constant, values)])), **attrs)
    keep(op, before, variable.numpy(), values, [out.numpy()] if tf.is_tensor(out) else [], attrs)


def on_reference(op, before, *values, **attrs):
    names = [a.name for a in op_def_registry.get(op).input_arg]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variable = tf.compat.v1.Variable(before, use_resource=False)
        out = getattr(tf.raw_ops, op)(**dict(zip(names, [variable._ref(), *map(tf.constant, values)])), **attrs)
        session.run(variable.initializer)
        given = session.run(out)
        is_ref = op_def_registry.get(op).output_arg[0].is_ref
        keep(op, before, session.run(variable), values, [None if is_ref else given], attrs)


def keep(op, before, after, values, outputs, attrs):
    named = {k: v.name if isinstance(v, tf.DType) else v for k, v in attrs.items()}
    R.add(op, [['variable', record(before), record(after)]] + [record(v) for v in values],
          [None if o is None else record(o) for o in outputs], 0.0, named)


def rows():
    for kind in 'Update Add Sub Mul Div Min Max'.split():
        types = NUMBERS + ([np.bool_, np.complex64, 'string'] if kind == 'Update' else [])
        for dtype in types:
            new = draw(dtype, 3, 2)
            on_resource('ResourceScatter' + kind, draw(dtype, 4, 2), i32([3, 0, 3]), new)
        for dtype in (np.float32, i64, HALF):
            on_reference('Scatter' + kind, draw(dtype, 4, 2), i64([3, 0]), draw(dtype, 2, 2))
        on_resource('ResourceScatter' + kind, draw(np.float32, 3, 2), i64([[0, 2]]), draw(np.float32, 1, 2, 2))
        on_resource('ResourceScatter' + kind, draw(np.float32, 3, 2), i32([2, 1]), np.float32(3))
        on_resource('ResourceScatter' + kind, draw(np.float32, 3), np.zeros(0, i32), np.zeros(0, np.float32))
        on_resource('ResourceScatter' + kind, np.float32([1, NAN, 3]), i32([0, 1, 2]), np.float32([NAN, 1, INF]))


def elements():
    for kind in 'Update Add Sub Min Max'.split():
        for dtype in NUMBERS + ([np.bool_, 'string'] if kind == 'Update' else []):
            on_resource('ResourceScatterNd' + kind, draw(dtype, 3, 2), i32([[2], [0]]), draw(dtype, 2, 2))
        on_resource('ResourceScatterNd' + kind, draw(np.float32, 3, 2), i64([[2, 1], [0, 0], [2, 1]]), draw(np.float32, 3))
        on_resource('ResourceScatterNd' + kind, draw(np.float32, 3), np.zeros((0, 1), i32), np.zeros(0, np.float32))
        on_reference('ScatterNd' + kind, draw(np.float32, 3, 2), i32([[2, 1], [0, 0]]), draw(np.float32, 2))
        on_reference('ScatterNd' + kind, draw(i32, 3, 2), i64([[1]]), draw(i32, 1, 2))


def reading():
    for dtype in NUMBERS + [np.bool_, np.complex64, 'string']:
        kind = tf.as_dtype(dtype)
        on_resource('ResourceGather', draw(dtype, 4, 2), i32([[3, 0]]), dtype=kind)
        on_resource('ResourceGatherNd', draw(dtype, 4, 2), i64([[3, 1], [0, 0]]), dtype=kind)
        on_resource('ReadVariableOp', draw(dtype, 2, 2), dtype=kind)
        on_resource('AssignVariableOp', draw(dtype, 2, 2), draw(dtype, 2, 2))
        on_reference('Assign', draw(dtype, 2, 2), draw(dtype, 2, 2))
    on_resource('ResourceGather', draw(np.float32, 2, 3, 2), i64([[2, 0], [1, 1]]), dtype=tf.float32, batch_dims=1)
    on_resource('ResourceGather', draw(np.float32, 0, 2), np.zeros(0, i32), dtype=tf.float32)
    on_resource('ResourceGatherNd', draw(np.float32, 4, 2), np.zeros((2, 0), i32), dtype=tf.float32)
    for out_type in (tf.int32, tf.int64):
        on_resource('VariableShape', draw(np.float32, 3, 0, 2), out_type=out_type)
    on_resource('VarIsInitializedOp', draw(np.float32, 2))


def steps():
    for dtype in NUMBERS:
        on_resource('AssignAddVariableOp', draw(dtype, 3), draw(dtype, 3))
        on_resource('AssignSubVariableOp', draw(dtype, 3) + draw(dtype, 3), draw(dtype, 3))
    for dtype in (np.float32, HALF, i64):
        on_reference('AssignAdd', draw(dtype, 3), draw(dtype, 3))
        on_reference('AssignSub', draw(dtype, 3), draw(dtype, 3))
    for dtype in (i32, i64):
        on_resource('ResourceCountUpTo', dtype(3), limit=5, T=tf.as_dtype(dtype))
        on_reference('CountUpTo', dtype(4), limit=5)
    on_reference('IsVariableInitialized', draw(np.float32, 2))


if __name__ == '__main__':
    for section in (rows, elements, reading, steps):
        section()
    R.write()
