// kernels/base/op_def.h - everything the project knows about one op, in TensorFlow's terms.
//
//   r.Add({.name = "BiasAdd",
//          .doc = "Adds bias along the last axis.",
//          .inputs = {"value: T", "bias: T"}, .outputs = {"output: T"},
//          .attrs = {"T: {float, double}", "data_format: {'NHWC', 'NCHW'} = 'NHWC'"},
//          .shape = [](ShapeContext& c) { ... },
//          .kernel = Stateless(cpu::BiasAdd)});
//
// The strings follow TensorFlow's REGISTER_OP notation:
//   input/output  "x: T", "x: float", "x: N * T", "xs: Tlist" (Tlist: list(type)), "h: resource", "v: Ref(T)"
//   attr          "T: type", "T: {float, double}", "N: int >= 1", "strides: list(int)", "flag: bool = true",
//                 "padding: {'SAME', 'VALID'}", "shape: shape = unknown", "value: tensor", "epsilon: float = 0.0001",
//                 "f: func", "branches: list(func) >= 1"
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/base/attr.h"
#include "kernels/base/kernel.h"
#include "kernels/base/op_builder.h"

namespace equiv {

struct OpDef;

// What a shape function sees: input shapes as far as known, and input values where they are constants.
class ShapeContext {
 public:
  ShapeContext(const OpDef& def, const AttrMap& attrs, std::string_view node_name, std::span<const PartialShape> inputs,
               std::span<const Array* const> constants, std::vector<PartialShape>& outputs)
      : def_(def), attrs_(attrs), node_name_(node_name), inputs_(inputs), constants_(constants), outputs_(outputs) {}
  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  // The shape of input i; of a resource: the shape of the variable behind it (tf: input_handle_shapes_and_types).
  const PartialShape& input(int i) const { return inputs_[static_cast<std::size_t>(i)]; }
  // The value of input i if known while building (a constant, or any eager value); null otherwise.
  const Array* constant(int i) const { return constants_[static_cast<std::size_t>(i)]; }
  const AttrMap& attrs() const { return attrs_; }
  template <class T>
  const T& attr(std::string_view name) const {
    return attrs_.Get<T>(name);
  }
  int num_outputs() const { return static_cast<int>(outputs_.size()); }
  void set_output(int i, PartialShape shape) { outputs_[static_cast<std::size_t>(i)] = std::move(shape); }
  // Throws InvalidArgumentError unless input i has this rank (or an unknown one, which becomes it); returns the shape.
  PartialShape WithRank(int i, int rank) const;
  PartialShape WithRankAtLeast(int i, int rank) const;
  // InvalidArgumentError starting with op and node.
  [[noreturn]] void Fail(const std::string& message) const;

 private:
  const OpDef& def_;
  const AttrMap& attrs_;
  std::string_view node_name_;
  std::span<const PartialShape> inputs_;
  std::span<const Array* const> constants_;
  std::vector<PartialShape>& outputs_;
};
using ShapeFn = std::function<void(ShapeContext&)>;

// What a gradient sees; it adds ops through `builder` and returns one Value per input (empty: no gradient).
struct GradContext {
  OpBuilder& builder;
  const AttrMap& attrs;
  std::span<const Value> inputs, outputs, output_grads;
};
using GradFn = std::function<std::vector<Value>(GradContext&)>;

struct ArgDef {
  std::string name{};
  DType type = DType::kInvalid;  // fixed type, or
  std::string type_attr{};       // attr holding the type, or
  std::string type_list_attr{};  // attr holding a list of types
  std::string number_attr{};     // repeated this many times
  bool is_ref = false;           // a reference to a variable's value: a resource at run time
};
enum class AttrKind {
  kInt,
  kFloat,
  kBool,
  kString,
  kType,
  kShape,
  kTensor,
  kListInt,
  kListFloat,
  kListBool,
  kListString,
  kListType,
  kListShape,
  kListTensor,
  kFunc,
  kListFunc
};
struct AttrDef {
  std::string name{};
  AttrKind kind = AttrKind::kInt;
  std::optional<AttrValue> default_value{};
  std::vector<DType> allowed_types{};
  std::vector<std::string> allowed_strings{};
  std::optional<std::int64_t> minimum{};
};

struct OpDef {
  std::string name{};
  std::string doc{};
  std::vector<std::string> inputs{}, outputs{}, attrs{};  // notation above
  bool stateful = false;                                  // never merged, folded or pruned as a duplicate
  bool random = false;       // a stateful random op with attributes seed and seed2: appears in the draw ledger
  bool aggregate = false;    // tf: is_aggregate
  bool commutative = false;  // inputs may be reordered by the common-subgraph pass
  ShapeFn shape{};
  GradFn grad{};
  KernelFactory kernel{};  // reference implementation on the CPU

  // Filled by OpRegistry::Add from the notation.
  std::vector<ArgDef> input_args{}, output_args{};
  std::vector<AttrDef> attr_defs{};
};

// "[Conv2D] 'a/Conv2D': " or "[Conv2D] ": how every error text about an op starts.
std::string OpWhere(std::string_view op, std::string_view node);
// Parses the notation into input_args, output_args, attr_defs. InternalError on a malformed definition.
void ParseNotation(OpDef& def);
// Checks `attrs` against the definition, infers T, N from the inputs, fills in defaults, and returns the output dtypes.
// Throws TypeError on input types (tf: "expected to be a int32 tensor but is a float tensor"), ValueError on
// attributes.
std::vector<DType> CompleteAttrs(const OpDef& def, std::span<const DType> input_dtypes, AttrMap& attrs,
                                 std::string_view node_name);
// The argument that input `i` (output `i`) of an op with these complete attributes belongs to; null beyond the last.
const ArgDef* InputArg(const OpDef& def, const AttrMap& attrs, std::size_t i);
const ArgDef* OutputArg(const OpDef& def, const AttrMap& attrs, std::size_t i);
// Runs the shape function; outputs of an op without one are unknown.
std::vector<PartialShape> InferShapes(const OpDef& def, const AttrMap& attrs, std::string_view node_name,
                                      std::span<const PartialShape> inputs, std::span<const Array* const> constants,
                                      std::size_t num_outputs);

}  // namespace equiv
