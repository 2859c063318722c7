"""Writes the files of this folder with numpy 1.26, ml_dtypes 0.3 and safetensors 0.8: python generate.py"""
import os

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

os.chdir(os.path.dirname(os.path.abspath(__file__)))

# Element i of each array is i - 2, cast; of complex ones i - 2 + (i / 2)j.
NUMBERS = ['float32', 'float64', 'float16', 'bfloat16', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32',
           'uint64', 'bool', 'complex64', 'complex128']


def numbers(dtype, shape):
    n = int(np.prod(shape))
    i = np.arange(n, dtype=np.float64)
    if dtype.startswith('complex'):
        return (i - 2 + i / 2 * 1j).astype(dtype).reshape(shape)
    values = i - 2
    if dtype.startswith('u'):
        values = values.astype(np.int64)  # -2 wraps
    return values.astype(getattr(ml_dtypes, dtype, dtype)).reshape(shape)


npz = {'n/' + d: numbers(d, (2, 3)) for d in NUMBERS}
npz['fortran'] = np.asfortranarray(numbers('float32', (2, 3)))
npz['fortran_strings'] = np.asfortranarray(np.array([[b'a', b'b', b'c'], [b'd', b'e', b'f']]))
npz['big'] = numbers('float64', (2, 3)).astype('>f8')
npz['big_complex'] = numbers('complex64', (2, 3)).astype('>c8')
npz['scalar'] = np.float32(1.5)
npz['empty'] = np.zeros((0, 3), np.int32)
npz['bytes'] = np.array([b'abc', b'', b'a\0b'])
npz['text'] = np.array(['h\u00e9', '\u65e5\u672c', '\U0001f600', ''])
npz['no_text'] = np.array([], 'S')
npz['x.npy'] = np.int64([1])
npz['../up'] = np.int64([2])
npz['\u00e9 space'] = np.int64([3])
npz['dot.'] = np.int64([4])
npz[''] = np.int64([5])
np.savez('numpy.npz', **npz)
np.savez_compressed('numpy_deflated.npz', zeros=np.zeros((300, 300), np.float32), ramp=numbers('int32', (50,)))

for name, array in {
        'matrix': numbers('float32', (2, 3)), 'vector': numbers('complex64', (5,)), 'scalar': np.array(7, np.int64),
        'bytes': np.array([b'abc', b'', b'defgh']), 'bfloat16': numbers('bfloat16', (4,)), 'bool': numbers('bool', (3, 1)),
        'deep': numbers('uint8', (1, 2, 1, 2, 1, 2, 1, 3)), 'wide': np.zeros((0, 123456789012), np.int8),
        'qint8': np.array([1, 2], np.dtype([('qint8', 'i1')])),
}.items():
    np.save('numpy_%s.npy' % name, array)

tensors = {}
for d in NUMBERS[:-1] + ['float8_e5m2', 'float8_e4m3fn']:
    tensors['b/' + d] = numbers(d, (2, 3))
    tensors['a ' + d] = numbers(d, ())
tensors['empty'] = np.zeros((0, 3), np.float32)
tensors['q"\\\n\u2028\x7f\x01'] = numbers('float32', (1,))
save_file(tensors, 'python.safetensors')
