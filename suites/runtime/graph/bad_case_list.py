"""Graphs that are refused, and what is said about them; see make_cases.py. Every text names the file and the node."""
from __main__ import (B, Case, F, Function, I, L, Placeholder, R, S, Shape, Tensor, Type, V, binary, const, function,
                      node, placeholder)
from case_list import GROW, NEGATE, TWICE


def bad(name, about, nodes, error, functions=(), **more):
    Case('bad_' + name, about, nodes, functions, error=error, **more)


X = placeholder('x')

# ---- edges -----------------------------------------------------------------------------------------------------------
bad('unknown_input', 'an input that is no node', [X, node('y', 'Neg', 'nope', T=F)],
    "InvalidArgumentError: {file}: [Neg] 'y': input 'nope' is no node of the graph")
bad('unknown_control', 'a control input that is no node', [X, node('y', 'Neg', 'x', '^nope', T=F)],
    "InvalidArgumentError: {file}: [Neg] 'y': input '^nope' is no node of the graph")
bad('output_index', 'an output that the node does not have', [X, node('y', 'Neg', 'x:1', T=F)],
    "InvalidArgumentError: {file}: [Neg] 'y': there is no output 1 of 'x', which has 1")
bad('output_index_text', 'an output index that is no number', [X, node('y', 'Neg', 'x:a', T=F)],
    "InvalidArgumentError: {file}: [Neg] 'y': input 'x:a' is no 'node:index'")
bad('output_index_huge', 'an output index beyond all numbers', [X, node('y', 'Neg', 'x:99999999999', T=F)],
    "InvalidArgumentError: {file}: [Neg] 'y': input 'x:99999999999' is no 'node:index'")
bad('data_after_control', 'control inputs come last', [X, node('y', 'AddV2', 'x', '^x', 'x', T=F)],
    "InvalidArgumentError: {file}: [AddV2] 'y': a data input follows a control input")
bad('cycle', 'a cycle without NextIteration', [node('a', 'Neg', 'b', T=F), node('b', 'Neg', 'a', T=F)],
    "InvalidArgumentError: {file}: [Neg] 'a': it is part of a cycle that is no while loop")
bad('cycle_of_one', 'a node that feeds itself', [node('a', 'Neg', 'a', T=F)],
    "InvalidArgumentError: {file}: [Neg] 'a': it is part of a cycle that is no while loop")
bad('cycle_of_control', 'a cycle of control inputs', [const('a', 'float32', 1)[:-1] + 'input: "^b" }', node('b', 'NoOp', '^a')],
    "InvalidArgumentError: {file}: [Const] 'a': it is part of a cycle that is no while loop")
bad('cycle_through_merge', 'a Merge closes a loop only for NextIteration',
    [X, node('m', 'Merge', 'x', 'n', T=F, N=2), node('n', 'Neg', 'm', T=F)],
    "InvalidArgumentError: {file}: [Merge] 'm': it is part of a cycle that is no while loop")
bad('merge_without_entry', 'a loop that nothing enters',
    [node('m', 'Merge', 'n', T=F, N=1), node('n', 'NextIteration', 'm', T=F)],
    "InvalidArgumentError: {file}: [Merge] 'm': a Merge without a way into the loop")
bad('back_edge_type', 'what comes back has another type',
    [X, const('i', 'int32', 1), node('m', 'Merge', 'x', 'n', T=F, N=2), node('n', 'NextIteration', 'i', T=I)],
    "InvalidArgumentError: {file}: [Merge] 'm': the value that comes back is int32")

# ---- names -----------------------------------------------------------------------------------------------------------
bad('duplicate_name', 'two nodes of one name', [X, node('y', 'Neg', 'x', T=F), node('y', 'Square', 'x', T=F)],
    "InvalidArgumentError: {file}: two nodes are named 'y'")
for k, text in enumerate(('a b', '^a', 'a:0', 'a\x01')):
    bad('name_%d' % k, 'a name that no node can have', [X, node(text, 'Neg', 'x', T=F)],
        "InvalidArgumentError: {file}: '%s' is no valid node name" % text.replace('\x01', '\\x01'))

# ---- ops and attributes ----------------------------------------------------------------------------------------------
bad('unknown_ops', 'every op that is missing is named at once',
    [X, node('a', 'Foo', 'x', T=F), node('b', 'Bar', 'x'), node('c', 'Foo', 'x', T=F),
     node('y', 'PartitionedCall', 'x', Tin=[F], Tout=[F], f=Function('f'))],
    "UnimplementedError: {file}: Op type not registered: Bar (1 node, first 'b'), Baz (1 node, first 'in' in function 'f'), Foo (2 nodes, first 'a'). `equiv list` shows the ops there are",
    [function('f', [('x', F)], [('y', F)], [node('in', 'Baz', 'x')], [('y', 'in:y:0')])])
bad('too_few_inputs', 'AddV2 of one thing', [X, node('y', 'AddV2', 'x', T=F)],
    "InvalidArgumentError: {file}: [AddV2] 'y': expected 2 inputs (x: T, y: T), got 1")
bad('too_many_inputs', 'Neg of two things', [X, node('y', 'Neg', 'x', 'x', T=F)],
    "InvalidArgumentError: {file}: [Neg] 'y': expected 1 inputs (x: T), got 2")
bad('missing_attr', 'Placeholder without a dtype', [node('y', 'Placeholder')],
    "InvalidArgumentError: {file}: [Placeholder] 'y': attribute 'dtype' (type) is required")
bad('missing_attr_2', 'Conv2D without strides', [X, node('y', 'Conv2D', 'x', 'x', T=F, padding='SAME')],
    "InvalidArgumentError: {file}: [Conv2D] 'y': attribute 'strides' (list(int)) is required")
bad('unknown_attr', 'an attribute from the future', [X, node('y', 'Neg', 'x', T=F, newer=1)],
    "InvalidArgumentError: {file}: [Neg] 'y': NodeDef mentions attr 'newer' not in Op Neg: it was written by a newer program", ours='imports it')
bad('attr_kind', 'an attribute of the wrong kind', [X, node('y', 'Neg', 'x', T=3)],
    "InvalidArgumentError: {file}: [Neg] 'y': attribute 'T': the value is no type")
bad('attr_kind_list', 'a single number where a list is wanted', [X, node('y', 'MaxPool', 'x', T=F, ksize=2, strides=[1, 1, 1, 1], padding='SAME')],
    "InvalidArgumentError: {file}: [MaxPool] 'y': attribute 'ksize': the value is no list")
bad('attr_value', 'a string that is not among the allowed ones',
    [X, node('y', 'MaxPool', 'x', T=F, ksize=[1, 1, 1, 1], strides=[1, 1, 1, 1], padding='HALF')],
    'InvalidArgumentError: {file}: [MaxPool] \'y\': attribute \'padding\' must be one of "SAME", "VALID", "EXPLICIT", got "HALF"')
bad('attr_minimum', 'a Merge of nothing', [node('y', 'Merge', T=F, N=0)],
    "InvalidArgumentError: {file}: [Merge] 'y': attribute 'N' must be at least 1, got 0")
bad('attr_negative_count', 'a negative number of inputs', [node('y', 'Pack', T=F, N=-1)],
    "InvalidArgumentError: {file}: [Pack] 'y': expected 1 inputs (values: N * T), got 0")
bad('attr_type', 'a type that the op does not take', [placeholder('s', S), node('y', 'Neg', 's', T=S)],
    "InvalidArgumentError: {file}: [Neg] 'y': Value passed to parameter 'x' has DataType string not in list of allowed values: bfloat16, float16, float32, float64, int8, int16, int32, int64, complex64, complex128 (attr 'T')")
bad('attr_placeholder', 'a placeholder outside of a function', [X, node('y', 'Neg', 'x', T=Placeholder('T'))],
    "InvalidArgumentError: {file}: [Neg] 'y': attribute 'T' is the placeholder 'T', which the call does not give")
bad('attr_empty', 'an attribute without a value', [X, node('y', 'Neg', 'x')[:-1] + 'attr { key: "T" value { } } }'],
    "InvalidArgumentError: {file}: [Neg] 'y': attribute 'T': the value is no type")
bad('input_type', 'an input of another type', [placeholder('i', I), X, binary('y', 'AddV2', 'x', 'i')],
    "InvalidArgumentError: {file}: [AddV2] 'y': cannot compute AddV2 as input #1(zero-based) was expected to be a float32 tensor but is a int32 tensor; cast one of them. Input 'y' of 'AddV2' Op has type int32 that does not match type float32 of argument 'x'.")
bad('type_attr_against_input', 'T says one thing, the input another', [placeholder('i', I), node('y', 'Neg', 'i', T=F)],
    "InvalidArgumentError: {file}: [Neg] 'y': cannot compute Neg as input #0(zero-based) was expected to be a float32 tensor but is a int32 tensor; cast one of them")
bad('dtype_number', 'a dtype that nobody knows', [node('y', 'Placeholder')[:-1] + 'attr { key: "dtype" value { type: 77 } } }'],
    "UnimplementedError: {file}: [Placeholder] 'y': attribute 'dtype': dtype number 77 is not supported")

# ---- shapes and constants --------------------------------------------------------------------------------------------
bad('negative_shape', 'a dimension of size -2', [placeholder('y', F, (3, -2))],
    "InvalidArgumentError: {file}: [Placeholder] 'y': attribute 'shape': a dimension of size -2")
bad('constant_negative', 'a constant with an unknown dimension', [const('y', 'float32', [1], (-1,))],
    "InvalidArgumentError: {file}: [Const] 'y': attribute 'value': a constant of shape [?]")
bad('constant_too_many', 'more values than the shape holds', [const('y', 'float32', [1, 2, 3], (2,))],
    "InvalidArgumentError: {file}: [Const] 'y': attribute 'value': 3 values for shape [2]", ours='imports it')
bad('constant_bytes', 'bytes that do not fill the shape',
    ['{ name: "y" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "value" value { tensor { dtype: DT_FLOAT '
     'tensor_shape { dim { size: 2 } } tensor_content: "abc" } } } }'],
    "InvalidArgumentError: {file}: [Const] 'y': attribute 'value': 3 bytes of content for float32[2]", ours='imports it')
bad('constant_other_type', 'the value has another dtype than the node', [node('y', 'Const', dtype=F, value=Tensor('int32', (), [1]))],
    "InvalidArgumentError: {file}: [Const] 'y': the value is int32, attribute 'dtype' says float32", ours='imports it')
bad('constant_huge', 'a constant that no memory holds', [const('y', 'float32', [1], (1 << 40,))],
    "ResourceExhaustedError: {file}: [Const] 'y': attribute 'value': a constant of shape [1099511627776] would take more than 2 GiB", ours='imports it')
bad('constant_overflow', 'a shape whose size overflows', [const('y', 'float32', [1], (1 << 40, 1 << 40))],
    "InvalidArgumentError: {file}: [Const] 'y': attribute 'value': Shape [1099511627776,1099511627776] is too large (more than 2**63 - 1 entries)")
bad('shape_overflow', 'a declared shape whose size overflows', [placeholder('y', F, (1 << 40, 1 << 40))],
    "InvalidArgumentError: {file}: [Placeholder] 'y': attribute 'shape': Shape [1099511627776,1099511627776] is too large (more than 2**63 - 1 entries)")
bad('outputs_endless', 'a count of outputs that no memory holds',
    [X, const('axis', 'int32', 0), node('y', 'Split', 'axis', 'x', T=F, num_split=1 << 40)],
    "InvalidArgumentError: {file}: [Split] 'y': attribute 'num_split' is 1099511627776, a node has at most 1048576 outputs",
    ours='runs out of memory')
bad('constants_many', 'constants that fit one by one, not together',
    [const('y%d' % i, 'float32', [1], (1 << 28,)) for i in range(5)],
    "ResourceExhaustedError: {file}: [Const] 'y4': the constants take more than 4 GiB", ours='imports it')
bad('constant_rank_9', 'nine dimensions', [const('y', 'float32', [1], (1,) * 9)],
    "InvalidArgumentError: {file}: [Const] 'y': attribute 'value': shape has rank 9, at most 8 dimensions are supported", ours='imports it')
bad('shapes_differ', 'shapes that do not fit', [placeholder('a', F, (2, 3)), placeholder('b', F, (4, 5)), binary('y', 'MatMul', 'a', 'b')],
    "InvalidArgumentError: {file}: [MatMul] 'y': Dimensions must be equal, but are 3 and 4. Matrix size-incompatible: In[0]: [2,3], In[1]: [4,5]")

# ---- functions -------------------------------------------------------------------------------------------------------
def call(name, *inputs, out=(F,)):
    return node('y', 'PartitionedCall', *inputs, Tin=[F] * len(inputs), Tout=list(out), f=Function(name))


bad('function_unknown', 'a call of a function that the library lacks', [X, call('nope', 'x')],
    "NotFoundError: {file}: [PartitionedCall] 'y': attribute 'f': the library has no function 'nope'", ours='imports it')
bad('function_recursion', 'a function that calls itself', [X, call('f', 'x')],
    "UnimplementedError: {file}: function 'f': [PartitionedCall] 'in': attribute 'f': function 'f' calls itself",
    [function('f', [('x', F)], [('y', F)], [node('in', 'PartitionedCall', 'x', Tin=[F], Tout=[F], f=Function('f'))],
              [('y', 'in:output:0')])], ours='crashes')
bad('function_recursion_of_two', 'two functions that call each other', [X, call('f', 'x')],
    "UnimplementedError: {file}: function 'g': [PartitionedCall] 'in': attribute 'f': function 'f' calls itself",
    [function(a, [('x', F)], [('y', F)], [node('in', 'PartitionedCall', 'x', Tin=[F], Tout=[F], f=Function(b))],
              [('y', 'in:output:0')]) for a, b in (('f', 'g'), ('g', 'f'))], ours='crashes')
bad('function_twice', 'two different functions of one name', [X, call('twice', 'x')],
    "InvalidArgumentError: {file}: two functions are named 'twice'", [TWICE, TWICE.replace('"add"', '"other"').replace('add:z:0', 'other:z:0')])
bad('function_inputs', 'too few arguments', [node('y', 'PartitionedCall', Tin=[], Tout=[F], f=Function('twice'))],
    "InvalidArgumentError: {file}: [PartitionedCall] 'y': attribute 'f': function 'twice' takes (float32), the node says ()", [TWICE])
bad('function_outputs', 'more outputs than the function has', [X, call('twice', 'x', out=(F, F))],
    "InvalidArgumentError: {file}: [PartitionedCall] 'y': attribute 'f': function 'twice' gives (float32), the node says (float32, float32)", [TWICE], ours='imports it')
bad('function_input_type', 'an argument of another type',
    [placeholder('i', I), node('y', 'PartitionedCall', 'i', Tin=[I], Tout=[F], f=Function('twice'))],
    "InvalidArgumentError: {file}: [PartitionedCall] 'y': attribute 'f': function 'twice' takes (float32), the node says (int32)", [TWICE], ours='imports it')
bad('function_output_type', 'an output of another type', [X, call('twice', 'x', out=(I,))],
    "InvalidArgumentError: {file}: [PartitionedCall] 'y': attribute 'f': function 'twice' gives (float32), the node says (int32)", [TWICE], ours='imports it')
bad('function_no_ret', 'an output without a value', [X, call('f', 'x')],
    "InvalidArgumentError: {file}: function 'f': output 'y' has no value", [function('f', [('x', F)], [('y', F)], [], [])])
bad('function_ret_unknown', 'an output that comes from nowhere', [X, call('f', 'x')],
    "InvalidArgumentError: {file}: function 'f': output 'y' comes from no node",
    [function('f', [('x', F)], [('y', F)], [], [('y', 'nope:z:0')])])
bad('function_ret_argument', 'an output of a node that has no such argument', [X, call('f', 'x')],
    "InvalidArgumentError: {file}: function 'f': Neg has no output 'z'",
    [function('f', [('x', F)], [('y', F)], [node('neg', 'Neg', 'x', T=F)], [('y', 'neg:z:0')])])
bad('function_argument_twice', 'two arguments of one name', [X, call('f', 'x', 'x')],
    "InvalidArgumentError: {file}: function 'f': 'x' is no argument name of its own",
    [function('f', [('x', F), ('x', F)], [('y', F)], [], [('y', 'x')])])
bad('function_input_unknown', 'an input inside the body that is no node', [X, call('f', 'x')],
    "InvalidArgumentError: {file}: function 'f': [Neg] 'neg': input 'nope:y:0' is no node of the graph",
    [function('f', [('x', F)], [('y', F)], [node('neg', 'Neg', 'nope:y:0', T=F)], [('y', 'neg:y:0')])])
bad('function_attr_missing', 'a type that the call does not say', [X, call('f', 'x')],
    "InvalidArgumentError: {file}: function 'f': argument 'x' needs the attribute 'T'",
    [function('f', [('x', 'type_attr: "T"')], [('y', F)], [], [('y', 'x')])])
bad('if_without_branch', 'If of a function that is not there',
    [X, placeholder('p', B), node('y', 'If', 'p', 'x', Tcond=B, Tin=[F], Tout=[F], then_branch=Function('twice'),
                                  else_branch=Function('nope'), output_shapes=[])],
    "NotFoundError: {file}: [If] 'y': attribute 'else_branch': the library has no function 'nope'", [TWICE], ours='imports it')
bad('if_branch_types', 'branches that give other types than the node says',
    [X, placeholder('p', B), node('y', 'If', 'p', 'x', Tcond=B, Tin=[F], Tout=[I], then_branch=Function('twice'),
                                  else_branch=Function('negate'), output_shapes=[])],
    "InvalidArgumentError: {file}: [If] 'y': attribute 'then_branch': function 'twice' gives (float32), the node says (int32)", [TWICE, NEGATE], ours='imports it')
bad('case_without_branches', 'Case of nothing',
    [X, placeholder('i', I), node('y', 'Case', 'i', 'x', Tin=[F], Tout=[F], branches=[], output_shapes=[])],
    "InvalidArgumentError: {file}: [Case] 'y': attribute 'branches' needs at least 1 value, got 0")
bad('while_condition', 'a condition that gives two values',
    [placeholder('i', I), node('y', 'While', 'i', 'i', T=[I, I], cond=Function('grow'), body=Function('grow'), output_shapes=[],
                               parallel_iterations=10)],
    "InvalidArgumentError: {file}: [While] 'y': attribute 'cond': function 'grow' gives (int32, int32), a condition gives one value", [GROW], ours='imports it')

# ---- versions --------------------------------------------------------------------------------------------------------
bad('min_consumer', 'a graph for programs of the future', [X],
    'InvalidArgumentError: {file}: GraphDef min consumer version 9999 above current version 1645: it was written for a newer program', versions='producer: 9999 min_consumer: 9999')
bad('bad_consumer', 'a graph that says not to read it', [X],
    'InvalidArgumentError: {file}: GraphDef disallows consumer version 1645', versions='producer: 1645 bad_consumers: 1645')
