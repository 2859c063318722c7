"""TensorFlow's Saver on the variables of Inception-ResNet-v2, as one fresh process. Prints one JSON object: milliseconds.

usage: tensorflow_saver.py FOLDER [--threads N] [--rounds N]
FOLDER is where the checkpoints go. See suites/bench/checkpoint_bench.cc for the same work in Equiv.
"""
import json, os, statistics, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'fixtures', 'goldens', 'inception_resnet_v2'))
def option(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
threads, rounds = option('--threads', 0), option('--rounds', 15)
import arch, generate
generate.tensorflow()
tf, v1 = generate.tf, generate.v1
if threads:
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
path, times = os.path.join(sys.argv[1], 'model'), {}
def time_of(name, run):
    run()
    taken = []
    for _ in range(rounds):
        start = time.perf_counter(); run(); taken.append(time.perf_counter() - start)
    times[name] = 1e3 * statistics.median(taken)
with tf.Graph().as_default() as g, v1.Session(graph=g) as sess:
    arch.build(generate.Slim(False), v1.placeholder(tf.float32, (1, 299, 299, 3)))
    sess.run(v1.global_variables_initializer())
    saver = v1.train.Saver(max_to_keep=1)
    time_of('save', lambda: saver.save(sess, path, write_meta_graph=False))
    time_of('save_with_meta', lambda: saver.save(sess, path))
    time_of('restore', lambda: saver.restore(sess, path))
print(json.dumps(dict(tensorflow=tf.__version__, bytes=os.path.getsize(path + '.data-00000-of-00001'), ms=times)))
