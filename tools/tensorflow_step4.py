"""The guide's step 4 on real TensorFlow 2.15.1 as one fresh process, split by phase. Prints one JSON object.

usage: tensorflow_step4.py [inference|training] [--threads N] [--steady N]
The network is the data description in fixtures/goldens/inception_resnet_v2/arch.py driven through tf_slim (generate.py there).
"""
import json, os, resource, sys, time
start = time.perf_counter()
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'fixtures', 'goldens', 'inception_resnet_v2'))
training = 'training' in sys.argv
def option(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
threads, steady = option('--threads', 0), option('--steady', 0)
phases, last = {}, [start]
def mark(name):
    now = time.perf_counter()
    phases[name] = round(now - last[0], 4)
    last[0] = now
import numpy as np
import arch, generate
generate.tensorflow()
tf, v1 = generate.tf, generate.v1
if threads:
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
mark('import')
tol = dict(rtol=1e-6, atol=1e-5)
steady_ms = {}
def steadily(name, run):
    if steady:
        times = []
        for _ in range(steady):
            t = time.perf_counter(); run(); times.append(time.perf_counter() - t)
        steady_ms[name] = round(1e3 * min(times), 2)
        last[0] = time.perf_counter()
with generate.tool('num_random_ops', 42).scope(), tf.Graph().as_default() as g, v1.Session(graph=g) as sess:
    logits, _ = arch.build(generate.Slim(training), tf.ones((1, 299, 299, 3)))
    loss = tf.math.add_n(v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES))
    init, variables = v1.global_variables_initializer(), v1.global_variables()
    mark('graph construction')
    sess.run(init); mark('session initialisation')
    loss1 = sess.run(loss); mark('session loss')
    out1 = sess.run(logits); mark('session first forward')
    w1 = dict(zip([v.name for v in variables], sess.run(variables))); mark('session fetch weights')
    steadily('session', lambda: sess.run(logits))
with generate.tool('num_random_ops', 42).scope():
    model, x = generate.make_layer(None), tf.ones((1, 299, 299, 3))
    out2, _ = model(x, training=training); mark('eager first call')
    loss2 = tf.math.add_n(model.losses); mark('eager loss')
    steadily('eager', lambda: model(x, training=training))
w2 = {v.name: v.numpy() for v in (model.trainable_variables if training else model.variables)}; mark('eager fetch weights')
np.testing.assert_allclose(loss1, loss2.numpy(), **tol)
np.testing.assert_allclose(out1, out2.numpy(), **tol)
for name, value in w2.items():
    np.testing.assert_allclose(w1[name], value, **tol)
mark('comparison')

print(json.dumps(dict(tensorflow=tf.__version__, training=training, threads=threads, variables=len(variables), loss=[str(loss1), str(loss2.numpy())],
                      phases=phases, total=round(sum(phases.values()), 3),
                      total_without_import_and_construction=round(sum(v for k, v in phases.items() if k not in ('import', 'graph construction')), 3),
                      steady_ms=steady_ms, peak_rss_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))))
