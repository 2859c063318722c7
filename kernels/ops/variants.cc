// kernels/ops/variants.cc - tensors of dtype variant: optionals and lists of tensors.
#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/cpu/parts.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
namespace {

class Optional final : public VariantValue {
 public:
  explicit Optional(std::optional<std::vector<Array>> c) : components(std::move(c)) {}
  std::string_view type_name() const override { return "tensorflow::data::Optional"; }
  const std::optional<std::vector<Array>> components;
};
// Items without a value were reserved and never set.
class TensorList final : public VariantValue {
 public:
  TensorList(DType d, PartialShape s, std::vector<Array> i)
      : element_dtype(d), element_shape(std::move(s)), items(std::move(i)) {}
  std::string_view type_name() const override { return "tensorflow::TensorList"; }
  const DType element_dtype;
  const PartialShape element_shape;
  const std::vector<Array> items;
};

template <class T>
const T& Get(const KernelContext& ctx, int i, const char* what) {
  const auto* value = dynamic_cast<const T*>(ctx.input(i).variant().get());
  if (!value)
    throw InvalidArgumentError(fmt::format("{}Input handle is not {}. Saw: '{}'", ctx.Where(), what,
                                           ctx.input(i).variant() ? ctx.input(i).variant()->type_name() : "nothing"));
  return *value;
}
const TensorList& List(const KernelContext& ctx, int i = 0) { return Get<TensorList>(ctx, i, "a list"); }
void SetList(KernelContext& ctx, int output, const TensorList& like, std::vector<Array> items) {
  ctx.set_output(
      output, Array::Variant(std::make_shared<TensorList>(like.element_dtype, like.element_shape, std::move(items))));
}
void CheckDType(const KernelContext& ctx, const TensorList& list) {
  const DType wanted = ctx.attrs().Get<DType>("element_dtype");
  if (list.element_dtype != wanted)
    throw InvalidArgumentError(fmt::format("{}Invalid data types; list elements {} but op expects {}", ctx.Where(),
                                           Name(list.element_dtype), Name(wanted)));
}
void CheckItem(const KernelContext& ctx, const TensorList& list, const Array& item) {
  if (item.dtype() != list.element_dtype)
    throw InvalidArgumentError(fmt::format("{}Invalid data types; op elements {} but list elements {}", ctx.Where(),
                                           Name(item.dtype()), Name(list.element_dtype)));
  if (!list.element_shape.IsCompatibleWith(item.shape()))
    throw InvalidArgumentError(
        fmt::format("{}Tried to set a tensor with incompatible shape at a list index. Item element shape: {} list "
                    "shape: {}",
                    ctx.Where(), item.shape().ToString(), list.element_shape.ToString()));
}
// tf: TensorShapeFromTensor: a scalar -1 is an unknown shape
PartialShape ElementShape(const KernelContext& ctx, int i) {
  const Array& given = ctx.input(i);
  const std::vector<std::int64_t> dims = given.AsInt64Vector();
  if (given.rank() == 0) {
    if (dims[0] != -1)
      throw InvalidArgumentError(
          fmt::format("{}The only valid scalar shape tensor is the fully unknown shape specified as -1.", ctx.Where()));
    return PartialShape::Unknown();
  }
  if (given.rank() != 1)
    throw InvalidArgumentError(fmt::format("{}Shape must be at most rank 1 but is rank {}", ctx.Where(), given.rank()));
  try {
    return PartialShape(dims);
  } catch (const ValueError& error) {
    throw InvalidArgumentError(ctx.Where() + error.what());
  }
}
PartialShape Merge(const KernelContext& ctx, const PartialShape& a, const PartialShape& b) {
  try {
    return a.MergeWith(b);
  } catch (const ValueError& error) {
    throw InvalidArgumentError(ctx.Where() + error.what());
  }
}
std::int32_t Scalar(const KernelContext& ctx, int i, const char* what) {
  if (ctx.input(i).num_elements() != 1)
    throw InvalidArgumentError(
        fmt::format("{}{} must be a scalar, got shape {}", ctx.Where(), what, ctx.input(i).shape().ToString()));
  return ctx.input(i).data<std::int32_t>()[0];
}
Array ZerosOf(const KernelContext& ctx, DType dtype, const PartialShape& shape) {
  if (!shape.IsFullyDefined())
    throw InvalidArgumentError(
        fmt::format("{}Trying to read an uninitialized tensor but element_shape is not fully defined {} and no list "
                    "element is set.",
                    ctx.Where(), shape.ToString()));
  return cpu::Zeros(dtype, shape.Require());
}
// The shape that unset items take: the list's, the op's, and that of any item which is set.
PartialShape SharedShape(const KernelContext& ctx, const TensorList& list, const PartialShape& given) {
  PartialShape shape = Merge(ctx, list.element_shape, given);
  for (const Array& item : list.items)
    if (item.has_value()) shape = Merge(ctx, shape, item.shape());
  return shape;
}

void OptionalFromValue(KernelContext& ctx) {
  std::vector<Array> components;
  for (int i = 0; i < ctx.num_inputs(); ++i) components.push_back(ctx.input(i));
  ctx.set_output(0, Array::Variant(std::make_shared<Optional>(std::move(components))));
}
void OptionalNone(KernelContext& ctx) { ctx.set_output(0, Array::Variant(std::make_shared<Optional>(std::nullopt))); }
void OptionalHasValue(KernelContext& ctx) {
  ctx.set_output(0, Array::Scalar(Get<Optional>(ctx, 0, "an optional").components.has_value()));
}
void OptionalGetValue(KernelContext& ctx) {
  const Optional& optional = Get<Optional>(ctx, 0, "an optional");
  if (!optional.components) throw InvalidArgumentError(ctx.Where() + "The given optional does not have a value.");
  if (static_cast<int>(optional.components->size()) != ctx.num_outputs())
    throw InvalidArgumentError(fmt::format("{}the optional holds {} components, the op has {} outputs", ctx.Where(),
                                           optional.components->size(), ctx.num_outputs()));
  for (int i = 0; i < ctx.num_outputs(); ++i) {
    const Array& component = (*optional.components)[static_cast<std::size_t>(i)];
    if (component.dtype() != ctx.output_dtype(i))
      throw InvalidArgumentError(fmt::format("{}component {} is {}, expected {}", ctx.Where(), i,
                                             Name(component.dtype()), Name(ctx.output_dtype(i))));
    ctx.set_output(i, component);
  }
}

void TensorListReserve(KernelContext& ctx) {
  const std::int32_t n = Scalar(ctx, 1, "num_elements");
  if (n < 0)
    throw InvalidArgumentError(
        fmt::format("{}The num_elements to reserve must be a non negative number, but got {}", ctx.Where(), n));
  ctx.set_output(
      0, Array::Variant(std::make_shared<TensorList>(ctx.attrs().Get<DType>("element_dtype"), ElementShape(ctx, 0),
                                                     std::vector<Array>(static_cast<std::size_t>(n)))));
}
void EmptyTensorList(KernelContext& ctx) {
  Scalar(ctx, 1, "max_num_elements");
  ctx.set_output(0, Array::Variant(std::make_shared<TensorList>(ctx.attrs().Get<DType>("element_dtype"),
                                                                ElementShape(ctx, 0), std::vector<Array>())));
}
void TensorListSetItem(KernelContext& ctx) {
  const TensorList& list = List(ctx);
  const std::int32_t index = Scalar(ctx, 1, "index");
  std::vector<Array> items = list.items;
  if (index >= 0 && ctx.attrs().Get<bool>("resize_if_index_out_of_bounds") &&
      static_cast<std::size_t>(index) >= items.size())
    items.resize(static_cast<std::size_t>(index) + 1);
  if (index < 0 || static_cast<std::size_t>(index) >= items.size())
    throw InvalidArgumentError(
        fmt::format("{}Trying to modify element {} in a list with {} elements.", ctx.Where(), index, items.size()));
  CheckItem(ctx, list, ctx.input(2));
  items[static_cast<std::size_t>(index)] = ctx.input(2);
  SetList(ctx, 0, list, std::move(items));
}
void TensorListGetItem(KernelContext& ctx) {
  const TensorList& list = List(ctx);
  CheckDType(ctx, list);
  const std::int32_t index = Scalar(ctx, 1, "index");
  if (index < 0 || static_cast<std::size_t>(index) >= list.items.size())
    throw InvalidArgumentError(fmt::format("{}Trying to access element {} in a list with {} elements.", ctx.Where(),
                                           index, list.items.size()));
  const Array& item = list.items[static_cast<std::size_t>(index)];
  ctx.set_output(
      0, item.has_value() ? item : ZerosOf(ctx, list.element_dtype, SharedShape(ctx, list, ElementShape(ctx, 2))));
}
void TensorListStack(KernelContext& ctx) {
  const TensorList& list = List(ctx);
  CheckDType(ctx, list);
  const std::int64_t wanted = ctx.attrs().Get<std::int64_t>("num_elements"), n = std::ssize(list.items);
  if (wanted >= 0 && wanted != n)
    throw InvalidArgumentError(fmt::format(
        "{}Operation expected a list with {} elements but got a list with {} elements.", ctx.Where(), wanted, n));
  const PartialShape shape = SharedShape(ctx, list, ElementShape(ctx, 1));
  if (!shape.IsFullyDefined())
    throw InvalidArgumentError(fmt::format(
        "{}Tried to stack elements of a list with non-fully-defined element_shape: {}", ctx.Where(), shape.ToString()));
  std::vector<std::int64_t> dims = {n};
  dims.insert(dims.end(), shape.dims().begin(), shape.dims().end());
  ctx.set_output(0, cpu::Joined(list.element_dtype, Shape(dims), list.items, shape.Require()));
}
void TensorListFromTensor(KernelContext& ctx) {
  const Array& tensor = ctx.input(0);
  if (tensor.rank() < 1) throw InvalidArgumentError(ctx.Where() + "Tensor must be at least a vector, but saw a scalar");
  const Shape element(tensor.shape().dims().subspan(1));
  const PartialShape given = ElementShape(ctx, 1);
  if (!given.IsCompatibleWith(element))
    throw InvalidArgumentError(fmt::format("{}Specified a list with shape {} from a tensor with shape {}", ctx.Where(),
                                           given.ToString(), element.ToString()));
  std::vector<Array> items;
  for (std::int64_t i = 0; i < tensor.dim(0); ++i)
    items.push_back(cpu::Part(tensor, i * element.num_elements(), element));
  ctx.set_output(0, Array::Variant(std::make_shared<TensorList>(tensor.dtype(), given, std::move(items))));
}
void TensorListPushBack(KernelContext& ctx) {
  const TensorList& list = List(ctx);
  CheckItem(ctx, list, ctx.input(1));
  std::vector<Array> items = list.items;
  items.push_back(ctx.input(1));
  SetList(ctx, 0, list, std::move(items));
}
void TensorListPopBack(KernelContext& ctx) {
  const TensorList& list = List(ctx);
  CheckDType(ctx, list);
  if (list.items.empty()) throw InvalidArgumentError(ctx.Where() + "Trying to pop from an empty list.");
  std::vector<Array> items = list.items;
  const Array last = items.back();
  items.pop_back();
  ctx.set_output(
      1, last.has_value() ? last : ZerosOf(ctx, list.element_dtype, SharedShape(ctx, list, ElementShape(ctx, 1))));
  SetList(ctx, 0, list, std::move(items));
}
void TensorListLength(KernelContext& ctx) {
  ctx.set_output(0, Array::Scalar(static_cast<std::int32_t>(List(ctx).items.size())));
}
void TensorListElementShape(KernelContext& ctx) {
  const PartialShape& shape = List(ctx).element_shape;
  const bool wide = ctx.attrs().Get<DType>("shape_type") == DType::kInt64;
  std::vector<std::int64_t> dims = shape.has_rank() ? shape.dims() : std::vector<std::int64_t>{-1};
  Array& out = ctx.Allocate(0, shape.has_rank() ? Shape{std::ssize(dims)} : Shape{});
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (wide)
      out.mutable_data<std::int64_t>()[i] = dims[i];
    else
      out.mutable_data<std::int32_t>()[i] = static_cast<std::int32_t>(dims[i]);
  }
}

void ScalarOutput(ShapeContext& c) { c.set_output(0, Shape{}); }
void Add(OpRegistry& r, const char* name, const char* doc, std::vector<std::string> inputs,
         std::vector<std::string> outputs, std::vector<std::string> attrs, void (*kernel)(KernelContext&),
         ShapeFn shape = ScalarOutput) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = std::move(inputs),
         .outputs = std::move(outputs),
         .attrs = std::move(attrs),
         .shape = std::move(shape),
         .kernel = Stateless(kernel)});
}
constexpr const char* kElement = "element_dtype: type";
constexpr const char* kShapeType = "shape_type: {int32, int64}";
}  // namespace

void RegisterVariants(OpRegistry& r) {
  Add(r, "OptionalFromValue", "An optional that holds the inputs.", {"components: Toutput_types"},
      {"optional: variant"}, {"Toutput_types: list(type) >= 1"}, OptionalFromValue);
  Add(r, "OptionalNone", "An optional that holds nothing.", {}, {"optional: variant"}, {}, OptionalNone);
  Add(r, "OptionalHasValue", "Whether an optional holds something.", {"optional: variant"}, {"has_value: bool"}, {},
      OptionalHasValue);
  Add(r, "OptionalGetValue", "What an optional holds.", {"optional: variant"}, {"components: output_types"},
      {"output_types: list(type) >= 1", "output_shapes: list(shape) >= 1"}, OptionalGetValue, [](ShapeContext& c) {
        const auto& shapes = c.attr<std::vector<PartialShape>>("output_shapes");
        for (int i = 0; i < c.num_outputs() && i < static_cast<int>(shapes.size()); ++i)
          c.set_output(i, shapes[static_cast<std::size_t>(i)]);
      });
  Add(r, "TensorListReserve", "A list of a given length, nothing set.",
      {"element_shape: shape_type", "num_elements: int32"}, {"handle: variant"}, {kElement, kShapeType},
      TensorListReserve);
  Add(r, "EmptyTensorList", "A list without elements.", {"element_shape: shape_type", "max_num_elements: int32"},
      {"handle: variant"}, {kElement, kShapeType}, EmptyTensorList);
  Add(r, "TensorListSetItem", "The list with one element replaced.",
      {"input_handle: variant", "index: int32", "item: element_dtype"}, {"output_handle: variant"},
      {kElement, "resize_if_index_out_of_bounds: bool = false"}, TensorListSetItem);
  Add(r, "TensorListGetItem", "One element of a list; zeros where nothing was set.",
      {"input_handle: variant", "index: int32", "element_shape: int32"}, {"item: element_dtype"}, {kElement},
      TensorListGetItem, [](ShapeContext&) {});
  Add(r, "TensorListStack", "All elements of a list, along a new first axis.",
      {"input_handle: variant", "element_shape: int32"}, {"tensor: element_dtype"},
      {kElement, "num_elements: int = -1"}, TensorListStack, [](ShapeContext&) {});
  Add(r, "TensorListFromTensor", "The list of the parts of a tensor along its first axis.",
      {"tensor: element_dtype", "element_shape: shape_type"}, {"output_handle: variant"}, {kElement, kShapeType},
      TensorListFromTensor);
  Add(r, "TensorListPushBack", "The list with one element more.", {"input_handle: variant", "tensor: element_dtype"},
      {"output_handle: variant"}, {kElement}, TensorListPushBack);
  Add(r, "TensorListPopBack", "The list without its last element, and that element.",
      {"input_handle: variant", "element_shape: int32"}, {"output_handle: variant", "tensor: element_dtype"},
      {kElement}, TensorListPopBack);
  Add(r, "TensorListLength", "The number of elements of a list.", {"input_handle: variant"}, {"length: int32"}, {},
      TensorListLength);
  Add(r, "TensorListElementShape", "The shape that the elements of a list share.", {"input_handle: variant"},
      {"element_shape: shape_type"}, {kShapeType}, TensorListElementShape, [](ShapeContext&) {});
}
}  // namespace equiv::ops
