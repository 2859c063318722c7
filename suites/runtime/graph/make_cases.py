"""Writes cases/*.pbtxt, small graphs with what they compute or why they are refused.

    make_cases.py            writes the files
    make_cases.py --check    also runs them in TensorFlow (2.15.1 was used): values must be equal, and what we refuse at
                             import TensorFlow must refuse too, unless the case says `ours`: what TensorFlow does instead

A file is a GraphDef as text; its comments say what graph_cases_test.cc does with it:
    # run: feeds -> fetches     each `name=dtype[shape]:values`; `op name` runs an operation; `error text` instead of fetches
    # error: text               of the import; {file} is the file
"""
import os
import sys

TYPES = dict(float32='DT_FLOAT', int32='DT_INT32', bool='DT_BOOL', int64='DT_INT64', string='DT_STRING',
             resource='DT_RESOURCE', variant='DT_VARIANT', float64='DT_DOUBLE', float32_ref='DT_FLOAT_REF')


class Type(str):
    pass


class Shape(tuple):
    pass


class Function(str):
    pass


class Tensor:
    def __init__(self, dtype, shape, values):
        self.dtype, self.shape, self.values = dtype, shape, values


class Placeholder(str):
    pass


F, I, B, V, R, L, S = (Type(t) for t in ('float32', 'int32', 'bool', 'variant', 'resource', 'int64', 'string'))


def quote(s):
    return '"' + ''.join(c if 32 <= ord(c) < 127 and c not in '"\\' else '\\%03o' % ord(c) for c in s) + '"'


def shape_text(dims):
    return ' '.join('dim { size: %d }' % d for d in dims)


def scalar(v):
    if isinstance(v, Placeholder): return 'placeholder: ' + quote(v)
    if isinstance(v, bool): return 'b: ' + str(v).lower()
    if isinstance(v, int): return 'i: %d' % v
    if isinstance(v, float): return 'f: %r' % v
    if isinstance(v, Type): return 'type: ' + TYPES[v]
    if isinstance(v, Function): return 'func { name: %s }' % quote(v)
    if isinstance(v, Shape): return 'shape { %s }' % shape_text(v)
    if isinstance(v, Tensor):
        field = dict(float32='float_val', int32='int_val', bool='bool_val', string='string_val', int64='int64_val')[v.dtype]
        values = ' '.join('%s: %s' % (field, quote(x) if v.dtype == 'string' else str(x).lower()) for x in v.values)
        return 'tensor { dtype: %s tensor_shape { %s } %s }' % (TYPES[v.dtype], shape_text(v.shape), values)
    return 's: ' + quote(v)


def attr_text(attrs):
    out = ''
    for key, value in attrs.items():
        text = 'list { %s }' % ' '.join(scalar(v) for v in value) if type(value) is list else scalar(value)
        out += ' attr { key: "%s" value { %s } }' % (key, text)
    return out


def node(name, op, *inputs, **attrs):
    return '{ name: %s op: %s%s%s }' % (quote(name), quote(op), ''.join(' input: ' + quote(i) for i in inputs), attr_text(attrs))


def const(name, dtype, values, shape=()):
    return node(name, 'Const', dtype=Type(dtype), value=Tensor(dtype, shape, values if isinstance(values, list) else [values]))


def placeholder(name, dtype=F, shape=None):
    return node(name, 'Placeholder', dtype=dtype, **({} if shape is None else {'shape': Shape(shape)}))


def binary(name, op, a, b, dtype=F, *controls):
    return node(name, op, a, b, *controls, T=dtype)


def function(name, inputs, outputs, nodes, ret, stateful=(), attrs=(), control_ret=()):
    text = 'function { signature { name: %s' % quote(name)
    for kind, args in (('input_arg', inputs), ('output_arg', outputs)):
        for arg, t in args:
            text += ' %s { name: "%s" %s }' % (kind, arg, 'type: ' + TYPES[t] if isinstance(t, Type) else t)
    for a, kind in attrs:
        text += ' attr { name: "%s" type: "%s" }' % (a, kind)
    if stateful: text += ' is_stateful: true'
    for name_, _ in control_ret: text += ' control_output: "%s"' % name_
    text += ' }'
    for n in nodes: text += '\n    node_def ' + n
    for key, value in ret: text += '\n    ret { key: "%s" value: "%s" }' % (key, value)
    for key, value in control_ret: text += '\n    control_ret { key: "%s" value: "%s" }' % (key, value)
    return text + '\n  }'


CASES = []


class Case:
    def __init__(self, name, about, nodes, functions=(), runs=(), error=None, versions='', ours=''):
        self.name, self.about, self.runs, self.error, self.ours = name, about, runs, error, ours
        lines = ['# ' + about]
        if runs: lines += ['# run: ' + r for r in runs]
        if error: lines.append('# error: ' + error)
        if ours: lines.append('# tf: ' + ours)
        lines += ['node ' + n for n in nodes]
        if functions: lines.append('library {\n  ' + '\n  '.join(functions) + '\n}')
        if versions: lines.append('versions { %s }' % versions)
        self.text = '\n'.join(lines) + '\n'
        CASES.append(self)


import case_list  # noqa: E402,F401  (fills CASES)
import bad_case_list  # noqa: E402,F401


def parse_value(text):
    import numpy as np
    name, rest = text.split('=', 1)
    dtype, rest = rest.split('[', 1)
    shape, values = rest.split(']:', 1)
    shape = [int(d) for d in shape.split(',') if d]
    parts = values.split(',') if values else []
    if dtype == 'bool':
        parts = [p == 'true' for p in parts]
    return name, np.array(parts if dtype == 'bool' else [p for p in parts], dtype=object if dtype == 'string' else None).astype(
        object if dtype == 'string' else dtype).reshape(shape)


def check(case, path):
    import numpy as np
    import tensorflow as tf
    from google.protobuf import text_format
    tf1 = tf.compat.v1
    if case.ours in ('crashes', 'runs out of memory'): return None
    definition = tf1.GraphDef()
    text_format.Parse(case.text, definition)
    graph = tf.Graph()
    with graph.as_default():
        try:
            tf.import_graph_def(definition, name='')
        except Exception as e:  # noqa: BLE001
            message = '%s: %s' % (type(e).__name__, str(e).split('\n')[0][:200])
            return None if case.error or case.ours else 'TensorFlow refuses it: ' + message
    if case.error: return None if case.ours else 'TensorFlow imports it, we expect: ' + case.error
    config = tf1.ConfigProto()  # TensorFlow's optimiser breaks some loops without parallel_iterations
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = -1
    with tf1.Session(graph=graph, config=config) as session:
        for run in case.runs:
            feeds, wanted = run.split('->')
            feed = dict(parse_value(f) for f in feeds.split())
            wanted = wanted.strip()
            if wanted.startswith('error '):
                try:
                    session.run(wanted.split()[1], feed)
                    return 'TensorFlow gives a value in ' + run
                except Exception as e:  # noqa: BLE001
                    print('   %s: TensorFlow: %s: %s' % (case.name, type(e).__name__, str(e).split('\n')[0][:150]))
                continue
            if wanted.startswith('op '):
                session.run(wanted[3:], feed)
                continue
            expected = [parse_value(w) for w in wanted.split()]
            try:
                got = session.run([n for n, _ in expected], feed)
            except Exception as e:  # noqa: BLE001
                return 'TensorFlow fails in %s: %s' % (run, str(e)[:300])
            for (name, value), g in zip(expected, got):
                g = np.asarray(g)
                if value.dtype == object: value, g = value.astype(str), g.astype(str)
                if value.shape != g.shape or not np.array_equal(value, g): return '%s is %s' % (name, g.tolist())
    return None


if __name__ == '__main__':
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'cases')
    for case in CASES:
        with open(os.path.join(folder, case.name + '.pbtxt'), 'w') as f: f.write(case.text)
    for stray in set(os.listdir(folder)) - {c.name + '.pbtxt' for c in CASES}: print('not made here:', stray)
    if '--check' in sys.argv:
        os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
        only = sys.argv[sys.argv.index('--check') + 1:]
        for case in CASES:
            if only and case.name not in only: continue
            problem = check(case, case.name)
            print('%-40s %s' % (case.name, problem or 'as in TensorFlow'))
