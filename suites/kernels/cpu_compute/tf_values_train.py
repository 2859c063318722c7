"""Writes tf_values_train.jsonl beside this file: steps of optimisers in TensorFlow 2.15.1. Needs TensorFlow; tests do not.

A variable among the inputs is recorded as ["variable", value before, value after]."""
import json
import os

os.environ['TF_ENABLE_ONEDNN_OPTS'] = '0'
import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from tf_values import record

LINES = []
RNG = np.random.default_rng(11)


def step(op, variables, values, tolerance=0.0, reference=False, **attrs):
    """`variables`: values before; `values`: the other inputs. Both by TensorFlow's argument names, in its order. Records
    the resource op and, if `reference`, the same case for the reference op where there is one."""
    held = {k: tf.Variable(v) for k, v in variables.items()}
    getattr(tf.raw_ops, 'Resource' + op)(**{k: v.handle for k, v in held.items()},
                                         **{k: tf.constant(v) for k, v in values.items()}, **attrs)
    inputs = [['variable', record(variables[k]), record(held[k].numpy())] for k in variables]
    names = ['Resource' + op]
    if reference and hasattr(tf.raw_ops, op):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            refs = {k: tf.compat.v1.Variable(v, use_resource=False) for k, v in variables.items()}
            run = getattr(tf.raw_ops, op)(**{k: v._ref() for k, v in refs.items()},
                                          **{k: tf.constant(v) for k, v in values.items()}, **attrs)
            session.run(tf.compat.v1.global_variables_initializer())
            session.run(run)
            for (k, v), r in zip(refs.items(), inputs):
                assert repr(record(session.run(v))) == repr(r[2]), (op, k)
        names.append(op)
    for name in names:
        LINES.append(json.dumps({'op': name, 'attrs': attrs, 'inputs': inputs + [record(v) for v in values.values()],
                                 'outputs': [], 'tolerance': tolerance}))


# Slots: s any sign, p positive. Scalars by value. l1: also 0.
RULES = [
    ('GradientDescent', '', dict(alpha=.1), [{}]),
    ('ProximalGradientDescent', '', dict(alpha=.1, l1=.3, l2=.7), [{}]),
    ('Momentum', 'accum:s', dict(lr=.1, momentum=.9), [{}, dict(use_nesterov=True)]),
    ('KerasMomentum', 'accum:s', dict(lr=.1, momentum=.9), [{}, dict(use_nesterov=True)]),
    ('Adam', 'm:s v:p', dict(beta1_power=.729, beta2_power=.997, lr=.01, beta1=.9, beta2=.999, epsilon=1e-7),
     [{}, dict(use_nesterov=True)]),
    ('AdamWithAmsgrad', 'm:s v:p vhat:p', dict(beta1_power=.729, beta2_power=.997, lr=.01, beta1=.9, beta2=.999,
                                               epsilon=1e-7), [{}]),
    ('AdaMax', 'm:s v:p', dict(beta1_power=.729, lr=.01, beta1=.9, beta2=.999, epsilon=1e-7), [{}]),
    ('Adagrad', 'accum:p', dict(lr=.1), [{}, dict(update_slots=False)]),
    ('AdagradV2', 'accum:p', dict(lr=.1, epsilon=1e-7), [{}, dict(update_slots=False)]),
    ('AdagradDA', 'gradient_accumulator:s gradient_squared_accumulator:p', dict(lr=.1, l1=.02, l2=.3, global_step=7), [{}]),
    ('ProximalAdagrad', 'accum:p', dict(lr=.1, l1=.3, l2=.7), [{}]),
    ('Adadelta', 'accum:p accum_update:p', dict(lr=.5, rho=.95, epsilon=1e-6), [{}]),
    ('RMSProp', 'ms:p mom:s', dict(lr=.01, rho=.9, momentum=.8, epsilon=1e-7), [{}]),
    ('CenteredRMSProp', 'mg:c ms:p mom:s', dict(lr=.01, rho=.9, momentum=.8, epsilon=1e-7), [{}]),
    ('Ftrl', 'accum:p linear:s', dict(lr=.1, l1=.2, l2=.3, lr_power=-.5),
     [{}, dict(multiply_linear_by_lr=True), dict(lr_power=-.7), dict(lr_power=-.7, multiply_linear_by_lr=True)]),
    ('FtrlV2', 'accum:p linear:s', dict(lr=.1, l1=.2, l2=.3, l2_shrinkage=.05, lr_power=-.5),
     [{}, dict(multiply_linear_by_lr=True), dict(lr_power=-.7), dict(lr_power=-.7, multiply_linear_by_lr=True)]),
    ('AddSign', 'm:s', dict(lr=.1, alpha=1.3, sign_decay=.9, beta=.9), [{}]),
    ('PowerSign', 'm:s', dict(lr=.1, logbase=.7, sign_decay=.9, beta=.9), [{}]),
]

def order(op):
    """Inputs in TensorFlow's order, in which the gradient has its own place."""
    return [a.name for a in op_def_registry.get('Resource' + op).input_arg]


def draw(kind, shape, dtype):
    x = RNG.normal(size=shape)
    x = {'s': x, 'p': np.abs(x) + .1, 'c': x * .1}[kind]
    return x.astype(dtype)


def tolerance(rule, scalars, dtype):
    """Measured: only the reciprocal of a root, an approximation in TensorFlow's float32, and powers differ."""
    approximate = scalars.get('lr_power') == -.7 or rule in ('Adagrad', 'ProximalAdagrad', 'Adadelta')
    return 1e-7 if approximate and dtype == np.float32 else 0.0


def cases(rule, slots, scalars, variants, shape, dtype, indices=None, special=False):
    for variant in variants:
        given = {**scalars, **{k: v for k, v in variant.items() if k in scalars}}
        attrs = {k: v for k, v in variant.items() if k not in scalars}
        values = {k: np.int64(v) if k == 'global_step' else dtype(v) for k, v in given.items()}
        variables = {'var': draw('s', shape, dtype)}
        for slot in slots.split():
            name, kind = slot.split(':')
            variables[name] = draw(kind, shape, dtype)
        op = ('Sparse' if indices is not None else '') + 'Apply' + rule
        grad = draw('s', shape if indices is None else (len(indices), *shape[1:]), dtype)
        if special:
            grad.reshape(-1)[:4] = [0, np.inf, np.nan, -0.0][:grad.size]
        values['delta' if 'delta' in order(op) else 'grad'] = grad
        if indices is not None:
            values['indices'] = indices
        names = order(op)
        step(op, variables, {k: values[k] for k in names if k in values}, tolerance(rule, given, dtype),
             reference=len(grad.shape) == 2 and grad.size > 20, **attrs)


def main():
    for rule, slots, scalars, variants in RULES:
        for shape, dtype, special in (((3, 7), np.float32, False), ((5,), np.float64, False), ((), np.float32, False),
                                      ((0, 3), np.float32, False), ((2, 8), np.float32, True)):
            cases(rule, slots, scalars, variants if shape == (3, 7) else variants[:2], shape, dtype, special=special)
        if 'l1' in scalars:
            cases(rule, slots, {**scalars, 'l1': 0}, variants[:1], (2, 5), np.float32)
        if hasattr(tf.raw_ops, 'ResourceSparseApply' + rule):
            i32, i64 = np.int32, np.int64
            for shape, dtype, rows in (((4, 9), np.float32, i32([2, 0, 2])), ((6,), np.float32, i64([5, 1, 1, 3])),
                                       ((3, 2, 2), np.float64, i64([1, 2])), ((3, 1), np.float64, i32([2])),
                                       ((3, 4), np.float32, i32([]))):
                cases(rule, slots, scalars, variants if shape[0] > 3 else variants[:1], shape, dtype, rows)
            if 'l1' in scalars:
                cases(rule, slots, {**scalars, 'l1': 0}, variants[:1], (3, 5), np.float32, i32([1]))
                cases(rule, slots, {**scalars, 'l1': 0}, variants[:1], (3,), np.float32, i32([1]))


if __name__ == '__main__':
    main()
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'tf_values_train.jsonl'), 'w') as out:
        out.write('\n'.join(LINES) + '\n')
    print(len(LINES), 'cases')
