"""The cases of make_cases.py."""
from __main__ import (B, Case, F, Function, I, L, Placeholder, R, S, Shape, Tensor, Type, V, binary, const, function,
                      node, placeholder)


def switch(name, data, pred, dtype=F):
    return node(name, 'Switch', data, pred, T=dtype)


def merge(name, *inputs, dtype=F):
    return node(name, 'Merge', *inputs, T=dtype, N=len([i for i in inputs if not i.startswith('^')]))


def loop(prefix, frame, start, limit, step_nodes, step, dtype=I, constant=()):
    """while (state < limit) state = step; nodes named prefix/..."""
    p = prefix
    nodes = [node(p + '/enter', 'Enter', start, T=dtype, frame_name=frame),
             node(p + '/merge', 'Merge', p + '/enter', p + '/next', T=dtype, N=2),
             node(p + '/limit', 'Enter', limit, T=dtype, frame_name=frame, is_constant=True),
             binary(p + '/less', 'Less', p + '/merge', p + '/limit', dtype),
             node(p + '/cond', 'LoopCond', p + '/less'),
             switch(p + '/switch', p + '/merge', p + '/cond', dtype)]
    nodes += step_nodes
    return nodes + [node(p + '/next', 'NextIteration', step, T=dtype), node(p + '/exit', 'Exit', p + '/switch', T=dtype)]


# ---- v1 control flow -------------------------------------------------------------------------------------------------
Case('cond_v1', 'Switch and Merge: x * 2 or x + 10',
     [placeholder('x'), placeholder('p', B), switch('s', 'x', 'p'), const('two', 'float32', 2), const('ten', 'float32', 10),
      binary('twice', 'Mul', 's:1', 'two'), binary('more', 'AddV2', 's', 'ten'), merge('m', 'more', 'twice'),
      node('y', 'Identity', 'm', T=F)],
     runs=['x:0=float32[2]:1,2 p:0=bool[]:true -> y:0=float32[2]:2,4 m:1=int32[]:1',
           'x:0=float32[2]:1,2 p:0=bool[]:false -> y:0=float32[2]:11,12 m:1=int32[]:0'])
Case('dead_tensor', 'the branch that is not taken has no value',
     [placeholder('x'), placeholder('p', B), switch('s', 'x', 'p'), node('taken', 'Identity', 's:1', T=F),
      node('after', 'Neg', 'taken', T=F)],
     runs=['x:0=float32[]:1 p:0=bool[]:true -> after:0=float32[]:-1',
           'x:0=float32[]:1 p:0=bool[]:false -> error after:0 InvalidArgumentError: Retval[0] does not have value'])
Case('dead_by_control', 'a constant that waits for a dead operation is dead too; Merge takes the other one',
     [placeholder('p', B), switch('s', 'p', 'p', B), node('t', 'Identity', 's:1', T=B), node('f', 'Identity', 's', T=B),
      node('one', 'Const', '^t', dtype=I, value=Tensor('int32', (), [1])),
      node('two', 'Const', '^f', dtype=I, value=Tensor('int32', (), [2])), merge('m', 'one', 'two', dtype=I)],
     runs=['p:0=bool[]:true -> m:0=int32[]:1 m:1=int32[]:0', 'p:0=bool[]:false -> m:0=int32[]:2 m:1=int32[]:1'])
Case('cond_in_cond', 'a branch in a branch',
     [placeholder('x'), placeholder('p', B), placeholder('q', B), switch('s', 'x', 'p'), switch('q_s', 'q', 'p', B),
      switch('inner', 's:1', 'q_s:1'), node('a', 'Neg', 'inner:1', T=F), node('b', 'Square', 'inner', T=F), merge('im', 'a', 'b'),
      merge('m', 's', 'im')],
     runs=['x:0=float32[]:3 p:0=bool[]:true q:0=bool[]:true -> m:0=float32[]:-3',
           'x:0=float32[]:3 p:0=bool[]:true q:0=bool[]:false -> m:0=float32[]:9',
           'x:0=float32[]:3 p:0=bool[]:false q:0=bool[]:true -> m:0=float32[]:3'])
Case('while_v1', 'doubles until a limit; not at all when it is there already',
     [placeholder('start', I), placeholder('limit', I)] +
     loop('w', 'frame', 'start', 'limit', [binary('w/double', 'AddV2', 'w/switch:1', 'w/switch:1', I)], 'w/double') +
     [node('y', 'Identity', 'w/exit', T=I)],
     runs=['start:0=int32[]:3 limit:0=int32[]:20 -> y:0=int32[]:24', 'start:0=int32[]:50 limit:0=int32[]:20 -> y:0=int32[]:50'])
Case('while_v1_two_variables', 'sum of squares below n',
     [placeholder('n', I), const('zero', 'int32', 0)] +
     loop('i', 'frame', 'zero', 'n', [node('one', 'Const', '^i/switch_1', dtype=I, value=Tensor('int32', (), [1])),
                                      node('i/switch_1', 'Identity', 'i/switch:1', T=I),
                                      binary('i/plus', 'AddV2', 'i/switch_1', 'one', I)], 'i/plus') +
     [node('sum/enter', 'Enter', 'zero', T=I, frame_name='frame'), merge('sum/merge', 'sum/enter', 'sum/next', dtype=I),
      switch('sum/switch', 'sum/merge', 'i/cond', I), binary('square', 'Mul', 'i/switch_1', 'i/switch_1', I),
      binary('sum/add', 'AddV2', 'sum/switch:1', 'square', I), node('sum/next', 'NextIteration', 'sum/add', T=I),
      node('sum/exit', 'Exit', 'sum/switch', T=I)],
     runs=['n:0=int32[]:4 -> sum/exit:0=int32[]:14 i/exit:0=int32[]:4', 'n:0=int32[]:0 -> sum/exit:0=int32[]:0 i/exit:0=int32[]:0'])
Case('while_v1_nested', 'i from 1 while below n: inner loop doubles i until it is at least 10, and the outer goes on from there plus 1',
     [placeholder('n', I), const('one', 'int32', 1), const('ten', 'int32', 10)] +
     loop('o', 'outer', 'one', 'n',
          [node('o/ten', 'Enter', 'ten', T=I, frame_name='outer', is_constant=True),
           node('o/one', 'Enter', 'one', T=I, frame_name='outer', is_constant=True), node('o/body', 'Identity', 'o/switch:1', T=I)] +
          loop('i', 'inner', 'o/body', 'o/ten', [binary('i/double', 'AddV2', 'i/switch:1', 'i/switch:1', I)], 'i/double') +
          [binary('o/plus', 'AddV2', 'i/exit', 'o/one', I)], 'o/plus'),
     runs=['n:0=int32[]:30 -> o/exit:0=int32[]:30', 'n:0=int32[]:1 -> o/exit:0=int32[]:1', 'n:0=int32[]:17 -> o/exit:0=int32[]:17'])
Case('while_v1_with_cond', 'a branch inside the body: odd numbers grow by 3, even ones by 1',
     [placeholder('n', I), const('zero', 'int32', 0), const('k1', 'int32', 1), const('k2', 'int32', 2), const('k3', 'int32', 3)] +
     loop('w', 'f', 'zero', 'n',
          [node('w/k%d' % k, 'Enter', 'k%d' % k, T=I, frame_name='f', is_constant=True) for k in (1, 2, 3)] +
          [node('w/i', 'Identity', 'w/switch:1', T=I), binary('w/mod', 'FloorMod', 'w/i', 'w/k2', I),
           binary('w/odd', 'Equal', 'w/mod', 'w/k1', I), switch('w/s', 'w/i', 'w/odd', I), switch('w/s1', 'w/k1', 'w/odd', I),
           switch('w/s3', 'w/k3', 'w/odd', I), binary('w/a', 'AddV2', 'w/s:1', 'w/s3:1', I),
           binary('w/b', 'AddV2', 'w/s', 'w/s1', I), merge('w/m', 'w/b', 'w/a', dtype=I)], 'w/m'),
     runs=['n:0=int32[]:9 -> w/exit:0=int32[]:9', 'n:0=int32[]:6 -> w/exit:0=int32[]:8'])

# ---- functions -------------------------------------------------------------------------------------------------------
TWICE = function('twice', [('x', F)], [('y', F)], [binary('add', 'AddV2', 'x', 'x')], [('y', 'add:z:0')])
NEGATE = function('negate', [('x', F)], [('y', F)], [node('neg', 'Neg', 'x', T=F)], [('y', 'neg:y:0')])
SQUARE = function('square', [('x', F)], [('y', F)], [node('sq', 'Square', 'x', T=F)], [('y', 'sq:y:0')])


def branches(op, about):
    return Case(op.lower(), about,
                [placeholder('p', B), placeholder('x'),
                 node('y', op, 'p', 'x', Tcond=B, Tin=[F], Tout=[F], then_branch=Function('twice'), else_branch=Function('negate'),
                      output_shapes=[])],
                [TWICE, NEGATE],
                runs=['p:0=bool[]:true x:0=float32[2]:1,2 -> y:0=float32[2]:2,4',
                      'p:0=bool[]:false x:0=float32[2]:1,2 -> y:0=float32[2]:-1,-2'])


branches('If', 'one of two functions')
branches('StatelessIf', 'one of two functions without state')
for op in ('Case', 'StatelessCase'):
    Case(op.lower(), 'one of several functions; an index out of range takes the last',
         [placeholder('i', I), placeholder('x'),
          node('y', op, 'i', 'x', Tin=[F], Tout=[F], branches=[Function('twice'), Function('negate'), Function('square')],
               output_shapes=[])],
         [TWICE, NEGATE, SQUARE],
         runs=['i:0=int32[]:%d x:0=float32[]:3 -> y:0=float32[]:%d' % r for r in ((0, 6), (1, -3), (2, 9), (7, 9), (-1, 9))])
BELOW = function('below', [('i', I), ('n', I)], [('go', B)], [binary('less', 'Less', 'i', 'n', I)], [('go', 'less:z:0')])
GROW = function('grow', [('i', I), ('n', I)], [('j', I), ('m', I)],
                [binary('add', 'AddV2', 'i', 'i', I), node('same', 'Identity', 'n', T=I)],
                [('j', 'add:z:0'), ('m', 'same:output:0')])
for op in ('While', 'StatelessWhile'):
    Case(op.lower(), 'doubles until a limit',
         [placeholder('i', I), placeholder('n', I),
          node('w', op, 'i', 'n', T=[I, I], cond=Function('below'), body=Function('grow'), output_shapes=[], parallel_iterations=10)],
         [BELOW, GROW], runs=['i:0=int32[]:3 n:0=int32[]:20 -> w:0=int32[]:24 w:1=int32[]:20',
                              'i:0=int32[]:30 n:0=int32[]:20 -> w:0=int32[]:30 w:1=int32[]:20'])
for op in ('PartitionedCall', 'StatefulPartitionedCall'):
    Case(op.lower(), 'a call, and a call of a function that calls',
         [placeholder('x'), node('y', op, 'x', Tin=[F], Tout=[F, F], f=Function('outer'), config='', config_proto='', executor_type='')],
         [TWICE,
          function('outer', [('x', F)], [('a', F), ('b', F)],
                   [node('inner', 'PartitionedCall', 'x', Tin=[F], Tout=[F], f=Function('twice')),
                    binary('more', 'Mul', 'inner:output:0', 'x')], [('a', 'inner:output:0'), ('b', 'more:z:0')])],
         runs=['x:0=float32[2]:1,3 -> y:0=float32[2]:2,6 y:1=float32[2]:2,18'])
Case('function_as_op', 'a function called by its name, as an op',
     [placeholder('x'), node('y', 'twice', 'x'), node('z', 'twice', 'y')], [TWICE], runs=['x:0=float32[]:3 -> z:0=float32[]:12'])
Case('function_of_any_type', 'a function whose types are attributes of the call',
     [placeholder('x'), placeholder('i', I), node('y', 'poly', 'x', T=F), node('j', 'poly', 'i', T=I)],
     [function('poly', [('x', 'type_attr: "T"')], [('y', 'type_attr: "T"')],
               [node('add', 'AddV2', 'x', 'x', T=Placeholder('T'))], [('y', 'add:z:0')], attrs=[('T', 'type')])],
     runs=['x:0=float32[]:1.5 i:0=int32[]:4 -> y:0=float32[]:3 j:0=int32[]:8'],
     ours='its Python importer refuses such functions')
Case('function_given_twice', 'a library may hold a function twice, if it is the same',
     [placeholder('x'), node('y', 'PartitionedCall', 'x', Tin=[F], Tout=[F], f=Function('twice'))], [TWICE, TWICE],
     runs=['x:0=float32[]:1.5 -> y:0=float32[]:3'])
Case('function_parts', 'outputs with several parts are named by argument and number',
     [placeholder('x', F, (4,)), node('y', 'PartitionedCall', 'x', Tin=[F], Tout=[F], f=Function('halves'))],
     [function('halves', [('x', F)], [('y', F)],
               [const('axis', 'int32', 0), node('split', 'Split', 'axis:output:0', 'x', T=F, num_split=2),
                binary('sub', 'Sub', 'split:output:1', 'split:output:0')], [('y', 'sub:z:0')])],
     runs=['x:0=float32[4]:1,2,10,20 -> y:0=float32[2]:9,18'])
Case('function_with_effect', 'an assignment inside a function happens, though no output needs it',
     [node('v', 'VarHandleOp', dtype=F, shape=Shape(()), shared_name='v', container=''), const('one', 'float32', 1),
      node('init', 'AssignVariableOp', 'v', 'one', dtype=F),
      node('y', 'StatefulPartitionedCall', 'v', Tin=[R], Tout=[F], f=Function('count')),
      node('read', 'ReadVariableOp', 'v', dtype=F)],
     [function('count', [('v', R)], [('y', F)],
               [const('five', 'float32', 5), node('old', 'ReadVariableOp', 'v', dtype=F),
                node('add', 'AssignAddVariableOp', 'v', 'five:output:0', '^old', dtype=F)],
               [('y', 'old:value:0')], stateful=True, control_ret=[('add', 'add')])],
     runs=[' -> op init', ' -> y:0=float32[]:1', ' -> y:0=float32[]:6', ' -> read:0=float32[]:11'])
Case('if_in_while', 'functional control flow inside functional control flow',
     [placeholder('n', I), const('zero', 'int32', 0),
      node('w', 'StatelessWhile', 'zero', 'n', T=[I, I], cond=Function('below'), body=Function('step'), output_shapes=[],
           parallel_iterations=10)],
     [BELOW,
      function('step', [('i', I), ('n', I)], [('j', I), ('m', I)],
               [const('two', 'int32', 2), const('none', 'int32', 0), binary('mod', 'FloorMod', 'i', 'two:output:0', I),
                binary('even', 'Equal', 'mod:z:0', 'none:output:0', I),
                node('next', 'StatelessIf', 'even:z:0', 'i', Tcond=B, Tin=[I], Tout=[I], then_branch=Function('plus1'),
                     else_branch=Function('plus3'), output_shapes=[]), node('same', 'Identity', 'n', T=I)],
               [('j', 'next:output:0'), ('m', 'same:output:0')])] +
     [function('plus%d' % k, [('x', I)], [('y', I)], [const('k', 'int32', k), binary('add', 'AddV2', 'x', 'k:output:0', I)],
               [('y', 'add:z:0')]) for k in (1, 3)],
     runs=['n:0=int32[]:9 -> w:0=int32[]:9', 'n:0=int32[]:6 -> w:0=int32[]:8'])

# ---- variables and variants ------------------------------------------------------------------------------------------
Case('reference_variables', 'VariableV2 and its assignments, in the order that control inputs say',
     [node('v', 'VariableV2', dtype=F, shape=Shape((2,)), container='', shared_name=''), const('start', 'float32', [1, 2], (2,)),
      node('init', 'Assign', 'v', 'start', T=F, use_locking=True, validate_shape=True, _class=['loc:@v']),
      const('d', 'float32', [10, 20], (2,)), node('add', 'AssignAdd', 'v', 'd', T=F, use_locking=False),
      node('sub', 'AssignSub', 'add', 'start', T=F, use_locking=False), node('read', 'Identity', 'v', T=F),
      node('late', 'Identity', 'v', '^sub', T=F)],
     runs=[' -> error read:0 FailedPreconditionError: ', ' -> op init', ' -> read:0=float32[2]:1,2', ' -> late:0=float32[2]:10,20',
           ' -> read:0=float32[2]:10,20'])
Case('resource_variables', 'VarHandleOp and its assignments',
     [node('v', 'VarHandleOp', dtype=F, shape=Shape((2,)), container='', shared_name='v'), const('start', 'float32', [1, 2], (2,)),
      node('init', 'AssignVariableOp', 'v', 'start', dtype=F, validate_shape=False), node('read', 'ReadVariableOp', 'v', dtype=F),
      node('there', 'VarIsInitializedOp', 'v')],
     runs=[' -> there:0=bool[]:false', ' -> error read:0 FailedPreconditionError: ', ' -> op init', ' -> there:0=bool[]:true',
           ' -> read:0=float32[2]:1,2'])
Case('optional', 'a value in an optional, through a function and out again',
     [placeholder('x'), node('o', 'OptionalFromValue', 'x', Toutput_types=[F]),
      node('through', 'PartitionedCall', 'o', Tin=[V], Tout=[V], f=Function('pass')), node('none', 'OptionalNone'),
      node('has', 'OptionalHasValue', 'through'), node('has_not', 'OptionalHasValue', 'none'),
      node('y', 'OptionalGetValue', 'through', output_types=[F], output_shapes=[Shape(())])],
     [function('pass', [('v', V)], [('w', V)], [node('same', 'Identity', 'v', T=V)], [('w', 'same:output:0')])],
     runs=['x:0=float32[]:3 -> y:0=float32[]:3 has:0=bool[]:true has_not:0=bool[]:false'])
Case('tensor_list', 'a list of tensors through a loop: pushes i, pops the last',
     [placeholder('n', I), const('zero', 'int32', 0), const('scalar', 'int32', [], (0,)), const('many', 'int32', -1),
      node('list', 'EmptyTensorList', 'scalar', 'many', element_dtype=I, shape_type=I),
      node('w', 'StatelessWhile', 'zero', 'n', 'list', T=[I, I, V], cond=Function('go'), body=Function('push'), output_shapes=[],
           parallel_iterations=10),
      node('length', 'TensorListLength', 'w:2'), node('stack', 'TensorListStack', 'w:2', 'scalar', element_dtype=I, num_elements=-1)],
     [function('go', [('i', I), ('n', I), ('l', V)], [('go', B)], [binary('less', 'Less', 'i', 'n', I)], [('go', 'less:z:0')]),
      function('push', [('i', I), ('n', I), ('l', V)], [('j', I), ('m', I), ('k', V)],
               [const('one', 'int32', 1), binary('add', 'AddV2', 'i', 'one:output:0', I), binary('sq', 'Mul', 'i', 'i', I),
                node('pushed', 'TensorListPushBack', 'l', 'sq:z:0', element_dtype=I), node('same', 'Identity', 'n', T=I)],
               [('j', 'add:z:0'), ('m', 'same:output:0'), ('k', 'pushed:output_handle:0')])],
     runs=['n:0=int32[]:4 -> length:0=int32[]:4 stack:0=int32[4]:0,1,4,9'])



def array_graph(size, *nodes, **attrs):
    return [const('size', 'int32', size), const('zero', 'int32', 0), const('one', 'int32', 1), const('seven', 'int32', 7),
            const('half', 'float32', .5), const('pair', 'float32', [1, 2], (2,)), const('three', 'float32', [3, 4, 5], (3,)),
            const('both', 'int32', [1, 0], (2,)), const('lengths', 'int64', [2, 1], (2,)),
            node('a', 'TensorArrayV3', 'size', dtype=F, **attrs)] + list(nodes)


def array_op(name, op, *inputs, **attrs):
    return node(name, 'TensorArray%sV3' % op, *inputs, **attrs)


WRITE = [array_op('w0', 'Write', 'a', 'zero', 'pair', 'a:1', T=F), array_op('w1', 'Write', 'a', 'one', 'pair', 'w0', T=F)]
Case('tensor_array', 'elements written one by one and read at once; clear_after_read',
     array_graph(2, *WRITE, array_op('all', 'Gather', 'a', 'both', 'w1', dtype=F), array_op('size_of', 'Size', 'a', 'w1'),
                 array_op('joined', 'Concat', 'a', 'w1', dtype=F), array_op('read', 'Read', 'a', 'one', 'w1', dtype=F),
                 array_op('again', 'Read', 'a', 'one', 'w1', '^read', dtype=F), array_op('far', 'Read', 'a', 'seven', 'w1', dtype=F),
                 array_op('early', 'Read', 'a', 'one', 'w0', dtype=F), array_op('twice', 'Write', 'a', 'one', 'pair', 'w1', T=F),
                 array_op('outside', 'Write', 'a', 'seven', 'pair', 'w1', T=F), array_op('close', 'Close', 'a', '^w1'),
                 array_op('closed', 'Read', 'a', 'one', 'w1', '^close', dtype=F)),
     runs=[' -> all:0=float32[2,2]:1,2,1,2 size_of:0=int32[]:2', ' -> joined:0=float32[4]:1,2,1,2 joined:1=int64[2]:2,2',
           ' -> read:0=float32[2]:1,2',
           ' -> error again:0 InvalidArgumentError: [TensorArrayReadV3] \'again\': TensorArray a: Could not read index 1 twice',
           ' -> error far:0 InvalidArgumentError: [TensorArrayReadV3] \'far\': Tried to read from index 7 but array size is: 2',
           ' -> error early:0 InvalidArgumentError: [TensorArrayReadV3] \'early\': TensorArray a: Could not read from TensorArray index 1.',
           ' -> error twice:0 InvalidArgumentError: [TensorArrayWriteV3] \'twice\': TensorArray a: Could not write to TensorArray index 1 '
           'because it has already been written to.',
           ' -> error outside:0 InvalidArgumentError: [TensorArrayWriteV3] \'outside\': TensorArray a: Tried to write to index 7 but '
           'array is not resizeable and size is: 2',
           ' -> error closed:0 InvalidArgumentError: [TensorArrayReadV3] \'closed\': TensorArray a has already been closed.'])
Case('tensor_array_parts', 'a tensor taken apart by rows and by lengths; an array that grows',
     array_graph(0, array_op('split', 'Split', 'a', 'three', 'lengths', 'a:1', T=F), array_op('r0', 'Read', 'a', 'zero', 'split', dtype=F),
                 array_op('r1', 'Read', 'a', 'one', 'split', dtype=F),
                 node('b', 'TensorArrayV3', 'zero', dtype=F, dynamic_size=True),
                 array_op('scatter', 'Scatter', 'b', 'both', 'pair', 'b:1', T=F),
                 array_op('s0', 'Read', 'b', 'zero', 'scatter', dtype=F), array_op('grow', 'Write', 'b', 'seven', 'half', 'scatter', T=F),
                 array_op('size_of', 'Size', 'b', 'grow'), array_op('mixed', 'Gather', 'b', 'both', 'grow', dtype=F), dynamic_size=True),
     runs=[' -> r0:0=float32[2]:3,4 r1:0=float32[1]:5', ' -> s0:0=float32[]:2', ' -> size_of:0=int32[]:8',
           ' -> mixed:0=float32[2]:1,2'])
Case('tensor_array_gradients', 'gradients start at zero and add up; each source has its own',
     array_graph(2, *WRITE, array_op('g', 'Grad', 'a', 'w1', source='s'), array_op('add', 'Write', 'g', 'zero', 'pair', 'g:1', T=F),
                 array_op('more', 'Write', 'g', 'zero', 'pair', 'add', T=F), array_op('g0', 'Read', 'g', 'zero', 'more', dtype=F),
                 array_op('g1', 'Read', 'g', 'one', 'more', dtype=F), array_op('same', 'Grad', 'a', 'more', source='s'),
                 array_op('other', 'Grad', 'a', 'more', source='t'), array_op('g2', 'Read', 'same', 'zero', 'same:1', dtype=F),
                 array_op('g3', 'Read', 'other', 'zero', 'other:1', dtype=F),
                 array_op('shape', 'Write', 'g', 'zero', 'three', 'add', T=F)),
     runs=[' -> g0:0=float32[2]:2,4 g1:0=float32[2]:0,0', ' -> g2:0=float32[2]:2,4 g3:0=float32[2]:0,0',
           ' -> error shape:0 InvalidArgumentError: [TensorArrayWriteV3] \'shape\': TensorArray a@s: Could not aggregate to TensorArray '
           'index 0 because the existing shape is [2] but the new input shape is [3].'])
Case('regular_expressions', 'matches of whole strings, and what takes their place',
     [placeholder('x', S, (3,)), node('match', 'StaticRegexFullMatch', 'x', pattern='a+b?'),
      node('all', 'StaticRegexReplace', 'x', pattern='(a)', rewrite='<\\1>', replace_global=True),
      node('first', 'StaticRegexReplace', 'x', pattern='a', rewrite='', replace_global=False),
      const('pattern', 'string', 'b.*'), node('given', 'RegexFullMatch', 'x', 'pattern'), const('bad', 'string', '('),
      node('broken', 'RegexFullMatch', 'x', 'bad')],
     runs=['x:0=string[3]:aab,b,ab -> match:0=bool[3]:true,false,true all:0=string[3]:<a><a>b,b,<a>b first:0=string[3]:ab,b,b '
           'given:0=bool[3]:false,true,false',
           'x:0=string[3]:aab,b,ab -> error broken:0 InvalidArgumentError: [RegexFullMatch] \'broken\': Invalid pattern: (, error: '])

# ---- forms of values -------------------------------------------------------------------------------------------------
Case('constants', 'values that are shorter than their shape repeat the last one; names in any order',
     [node('y', 'AddV2', 'a', 'b', T=F), node('a', 'Const', dtype=F, value=Tensor('float32', (2, 2), [1, 2])),
      node('b', 'Const', dtype=F, value=Tensor('float32', (2, 2), [10])),
      node('s', 'Const', dtype=S, value=Tensor('string', (2,), ['x\x00\xff', 'y'])), const('e', 'float32', [], (0, 3)),
      node('t', 'Identity', 's', T=S)],
     runs=[' -> y:0=float32[2,2]:11,12,12,12 e:0=float32[0,3]:'])
Case('attributes_for_tools', 'attributes that start with an underscore stay',
     [placeholder('x', F, (2,)), node('y', 'Neg', 'x', T=F, _class=['loc:@x'], _output_shapes=[Shape((2,))], _n=3, _flag=True,
                                      _text='t', _type=F, _float=1.5)],
     runs=['x:0=float32[2]:1,2 -> y:0=float32[2]:-1,-2'])
