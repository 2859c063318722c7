#include "kernels/cpu/tensor_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <complex>
#include <limits>
#include <map>
#include <mutex>

#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/parts.h"

namespace equiv::cpu {
namespace {

// The sum of two arrays of one dtype and shape.
Array Sum(KernelContext& ctx, const Array& a, const Array& b) {
  Array out(a.dtype(), a.shape());
  const auto add = [&]<class T>() {
    const T *x = reinterpret_cast<const T*>(a.raw()), *y = reinterpret_cast<const T*>(b.raw());
    T* to = reinterpret_cast<T*>(out.raw());
    for (std::int64_t i = 0; i < a.num_elements(); ++i) to[i] = Plus(x[i], y[i]);
  };
  if (a.dtype() == DType::kComplex64)
    add.operator()<std::complex<float>>();
  else if (a.dtype() == DType::kComplex128)
    add.operator()<std::complex<double>>();
  else
    ForReal(ctx, a.dtype(), add);
  return out;
}

constexpr std::string_view kWriteTo = "write to TensorArray";

struct Options {
  std::string name;
  DType dtype = DType::kInvalid;
  PartialShape element_shape;
  bool dynamic_size = false, clear_after_read = true, identical_element_shapes = false;
  bool adds = false;  // a second write to an index is added: an array of gradients
};

// tf: class TensorArray. Only indices that were touched take memory.
class Elements final : public ResourceObject {
 public:
  Elements(Options options, std::int32_t size) : options_(std::move(options)), size_(size) {}
  std::string_view type_name() const override { return "TensorArray"; }

  // Every call of a kernel takes the array for its whole run.
  class Lock;

 private:
  struct Element {
    Array value;  // none: zeros of `shape`
    PartialShape shape;
    bool written = false, read = false, cleared = false;
  };
  Options options_;
  std::int32_t size_;
  bool closed_ = false;
  std::map<std::int32_t, Element> elements_;
  std::map<std::string, std::shared_ptr<Elements>> gradients_;
  std::mutex mutex_;
};

class Elements::Lock {
 public:
  explicit Lock(KernelContext& ctx) : ctx_(ctx) {
    const auto object = std::dynamic_pointer_cast<Elements>(ctx.input(0).resource_object());
    if (!object) throw InvalidArgumentError(ctx.Where() + "the handle is not one of a TensorArray");
    array_ = object;
    guard_ = std::unique_lock(array_->mutex_);
  }
  std::int32_t size() const { return array_->size_; }
  void RequireOpen() const {
    if (array_->closed_) Fail(fmt::format("TensorArray {} has already been closed.", array_->options_.name));
  }
  void Close() {
    array_->closed_ = true;
    array_->elements_.clear();
  }
  void RequireDType(DType dtype, std::string_view asks) const {
    if (dtype != array_->options_.dtype)
      Fail(fmt::format("TensorArray dtype is {} but Op {} dtype {}.", Name(array_->options_.dtype), asks, Name(dtype)));
  }
  const PartialShape& element_shape() const { return array_->options_.element_shape; }
  void MergeElementShape(const PartialShape& shape) {
    try {
      array_->options_.element_shape = element_shape().MergeWith(shape);
    } catch (const ValueError&) {
      Fail(fmt::format("PartialTensorShape: Incompatible shapes during merge: {} vs. {}", element_shape().ToString(),
                       shape.ToString()));
    }
  }
  // The array has room for `size` elements, or grows, or the error is `text`.
  void Require(std::int64_t size, const std::string& text) {
    if (size <= array_->size_) return;
    if (!array_->options_.dynamic_size || size > std::numeric_limits<std::int32_t>::max()) Fail(text);
    array_->size_ = static_cast<std::int32_t>(size);
  }
  void RequireSize(std::int64_t size) {
    const std::string text = fmt::format(
        "TensorArray's size is not equal to the size of lengths ({} vs. {}), and the TensorArray is not marked as "
        "dynamically resizeable",
        array_->size_, size);
    if (size < array_->size_) Fail(text);
    Require(size, text);
  }
  void Write(std::int32_t index, const Array& value);
  Array Read(std::int32_t index);
  Array Gradients(const std::vector<std::int64_t>& in_front);

 private:
  [[noreturn]] void Fail(const std::string& message) const { throw InvalidArgumentError(ctx_.Where() + message); }
  [[noreturn]] void FailAt(std::string_view doing, std::int32_t index, std::string_view why) const {
    Fail(fmt::format("TensorArray {}: Could not {} index {} {}", array_->options_.name, doing, index, why));
  }
  KernelContext& ctx_;
  std::shared_ptr<Elements> array_;
  std::unique_lock<std::mutex> guard_;
};

void Elements::Lock::Write(std::int32_t index, const Array& value) {
  Options& options = array_->options_;
  const std::string out_of_range =
      fmt::format("TensorArray {}: Tried to write to index {} but array is not resizeable and size is: {}",
                  options.name, index, size());
  if (index < 0) Fail(out_of_range);
  Require(std::int64_t{index} + 1, out_of_range);
  if (!element_shape().IsCompatibleWith(value.shape()))
    FailAt(kWriteTo, index,
           fmt::format("because the value shape is {} which is incompatible with the "
                       "TensorArray's inferred element shape: {} (consider setting infer_shape=False).",
                       value.shape().ToString(), element_shape().ToString()));
  Element& element = array_->elements_[index];
  if (element.read) FailAt(kWriteTo, index, "because it has already been read.");
  if (element.written) {
    if (!options.adds) FailAt(kWriteTo, index, "because it has already been written to.");
    if (!(element.shape == PartialShape(value.shape())))
      FailAt("aggregate to TensorArray", index,
             fmt::format("because the existing shape is {} but the new input shape is {}.", element.shape.ToString(),
                         value.shape().ToString()));
  }
  if (options.identical_element_shapes) options.element_shape = value.shape();
  element.value = element.value.has_value() ? Sum(ctx_, element.value, value) : value;
  element.shape = value.shape();
  element.written = true;
}

Array Elements::Lock::Read(std::int32_t index) {
  const Options& options = array_->options_;
  if (index < 0 || index >= size())
    Fail(fmt::format("Tried to read from index {} but array size is: {}", index, size()));
  const auto found = array_->elements_.find(index);
  if ((found == array_->elements_.end() || !found->second.written) && !element_shape().IsFullyDefined())
    Fail(fmt::format(
        "TensorArray {}: Could not read from TensorArray index {}.  Furthermore, the element shape is not fully "
        "defined: {}.  It is possible you are working with a resizeable TensorArray and stop_gradients is not allowing "
        "the gradients to be written.  If you set the full element_shape property on the forward TensorArray, the "
        "proper all-zeros tensor will be returned instead of incurring this error.",
        options.name, index, element_shape().ToString()));
  Element& element = array_->elements_[index];
  if (element.cleared)
    FailAt("read", index,
           "twice because it was cleared after a previous read (perhaps try setting clear_after_read = "
           "false?).");
  if (!element.value.has_value()) {
    if (!element.written) element.shape = element_shape();
    if (SizeOf(options.dtype) == 0) Fail(fmt::format("there are no zeros of dtype {}", Name(options.dtype)));
    element.value = Zeros(options.dtype, element.shape.Require());
  }
  Array value = element.value;
  element.read = true;
  if (options.clear_after_read) {
    element.cleared = true;
    element.value = Array();
  }
  return value;
}

// tf: TensorArrayGradOp: the forward array stops growing; what it holds gives the gradients their shapes.
Array Elements::Lock::Gradients(const std::vector<std::int64_t>& in_front) {
  Options& forward = array_->options_;
  if (forward.adds)
    Fail(fmt::format("TensorArray {} holds gradients itself; gradients of gradients are not kept", forward.name));
  forward.dynamic_size = false;
  const auto& source = ctx_.attrs().Get<std::string>("source");
  std::shared_ptr<Elements>& gradients = array_->gradients_[source];
  if (!gradients) {
    const auto with_front = [&](const PartialShape& shape) {
      if (!shape.has_rank()) return shape;
      std::vector<std::int64_t> dims = in_front;
      dims.insert(dims.end(), shape.dims().begin(), shape.dims().end());
      return PartialShape(std::move(dims));
    };
    Options options = forward;
    options.name += "@" + source;
    options.element_shape = with_front(forward.element_shape);
    options.clear_after_read = options.adds = true;
    gradients = std::make_shared<Elements>(std::move(options), array_->size_);
    for (const auto& [index, element] : array_->elements_)
      if (element.written)
        gradients->elements_[index] = {.value = {}, .shape = with_front(element.shape), .written = true};
  }
  return Array::Resource(std::static_pointer_cast<ResourceObject>(gradients));
}

std::int32_t Scalar(KernelContext& ctx, int i, std::string_view what) {
  const Array& array = ctx.input(i);
  if (array.rank() != 0)
    throw InvalidArgumentError(
        fmt::format("{}TensorArray {} must be scalar, but had shape: {}", ctx.Where(), what, array.shape().ToString()));
  return array.data<std::int32_t>()[0];
}
std::vector<std::int64_t> Vector(KernelContext& ctx, int i, std::string_view what) {
  const Array& array = ctx.input(i);
  if (array.rank() != 1)
    throw InvalidArgumentError(fmt::format("{}Expected {} to be a vector, but received shape: {}", ctx.Where(), what,
                                           array.shape().ToString()));
  return array.AsInt64Vector();
}
// Values along axis 0 in front of the shape of one.
Shape Stacked(std::int64_t n, std::span<const std::int64_t> element) {
  std::vector<std::int64_t> dims = {n};
  dims.insert(dims.end(), element.begin(), element.end());
  return Shape(dims);
}
void HandFlowOn(KernelContext& ctx, int output) { ctx.set_output(output, ctx.input(ctx.num_inputs() - 1)); }
void Grad(KernelContext& ctx, const std::vector<std::int64_t>& in_front) {
  Elements::Lock array(ctx);
  array.RequireOpen();
  ctx.set_output(0, array.Gradients(in_front));
  ctx.set_output(1, ctx.input(1));
}
}  // namespace

void TensorArray(KernelContext& ctx) {
  const std::int32_t size = Scalar(ctx, 0, "size");
  if (size < 0) throw InvalidArgumentError(ctx.Where() + "Size should be >= 0.");
  const AttrMap& attrs = ctx.attrs();
  const auto& name = attrs.Get<std::string>("tensor_array_name");
  Options options{.name = name.empty() ? ctx.node_name() : name,
                  .dtype = attrs.Get<DType>("dtype"),
                  .element_shape = attrs.Get<PartialShape>("element_shape"),
                  .dynamic_size = attrs.Get<bool>("dynamic_size"),
                  .clear_after_read = attrs.Get<bool>("clear_after_read"),
                  .identical_element_shapes = attrs.Get<bool>("identical_element_shapes")};
  ctx.set_output(0, Array::Resource(std::shared_ptr<ResourceObject>(std::make_shared<Elements>(options, size))));
  ctx.set_output(1, Array::Scalar(0.0F));
}
void TensorArrayGrad(KernelContext& ctx) { Grad(ctx, {}); }
void TensorArrayGradWithShape(KernelContext& ctx) { Grad(ctx, Vector(ctx, 2, "shape_to_prepend")); }

void TensorArrayWrite(KernelContext& ctx) {
  Elements::Lock array(ctx);
  array.RequireOpen();
  array.RequireDType(ctx.input(2).dtype(), "is trying to write");
  array.Write(Scalar(ctx, 1, "index"), ctx.input(2));
  HandFlowOn(ctx, 0);
}
void TensorArrayRead(KernelContext& ctx) {
  Elements::Lock array(ctx);
  array.RequireOpen();
  array.RequireDType(ctx.output_dtype(0), "requested");
  ctx.set_output(0, array.Read(Scalar(ctx, 1, "index")));
}
void TensorArrayGather(KernelContext& ctx) {
  Elements::Lock array(ctx);
  array.RequireOpen();
  array.RequireDType(ctx.output_dtype(0), "requested");
  array.MergeElementShape(ctx.attrs().Get<PartialShape>("element_shape"));
  const std::vector<std::int64_t> indices = Vector(ctx, 1, "indices");
  if (indices.empty()) {
    if (!array.element_shape().IsFullyDefined())
      throw UnimplementedError(fmt::format(
          "{}TensorArray has size zero, but element shape {} is not fully defined. Currently only static shapes are "
          "supported when packing zero-size TensorArrays.",
          ctx.Where(), array.element_shape().ToString()));
    ctx.set_output(0, Array(ctx.output_dtype(0), Stacked(0, array.element_shape().dims())));
    return;
  }
  std::vector<Array> values;
  for (const std::int64_t index : indices) values.push_back(array.Read(static_cast<std::int32_t>(index)));
  const Shape& shape = values[0].shape();
  for (std::size_t i = 1; i < values.size(); ++i)
    if (!(values[i].shape() == shape))
      throw InvalidArgumentError(
          fmt::format("{}TensorArray has inconsistent shapes.  Index 0 has shape: {} but index {} has shape: {}",
                      ctx.Where(), shape.ToString(), i, values[i].shape().ToString()));
  ctx.set_output(0, Joined(ctx.output_dtype(0), Stacked(std::ssize(values), shape.dims()), values));
}
void TensorArrayScatter(KernelContext& ctx) {
  Elements::Lock array(ctx);
  array.RequireOpen();
  const Array& values = ctx.input(2);
  array.RequireDType(values.dtype(), "is trying to write");
  const std::vector<std::int64_t> indices = Vector(ctx, 1, "indices");
  if (values.rank() < 1)
    throw InvalidArgumentError(fmt::format("{}Input value for unpack must be at least a vector but received shape: {}",
                                           ctx.Where(), values.shape().ToString()));
  if (std::ssize(indices) != values.dim(0))
    throw InvalidArgumentError(fmt::format("{}Expected len(indices) == values.shape[0], but saw: {} vs. {}",
                                           ctx.Where(), indices.size(), values.dim(0)));
  if (indices.empty()) return HandFlowOn(ctx, 0);
  const std::int64_t largest = *std::max_element(indices.begin(), indices.end());
  array.Require(largest + 1, fmt::format("Max scatter index must be < array size ({} vs. {})", largest, array.size()));
  const Shape element(values.shape().dims().subspan(1));
  for (std::size_t i = 0; i < indices.size(); ++i)
    array.Write(static_cast<std::int32_t>(indices[i]),
                Part(values, static_cast<std::int64_t>(i) * element.num_elements(), element));
  HandFlowOn(ctx, 0);
}
void TensorArrayConcat(KernelContext& ctx) {
  Elements::Lock array(ctx);
  array.RequireOpen();
  array.RequireDType(ctx.output_dtype(0), "requested");
  const auto& except0 = ctx.attrs().Get<PartialShape>("element_shape_except0");
  const std::int32_t n = array.size();
  if (n == 0) {
    if (!except0.IsFullyDefined())
      throw UnimplementedError(fmt::format(
          "{}TensorArray has size zero, but element_shape_except0 {} is not fully defined. Currently only static "
          "shapes are supported when concatenating zero-size TensorArrays.",
          ctx.Where(), except0.ToString()));
    ctx.set_output(0, Array(ctx.output_dtype(0), Stacked(0, except0.dims())));
    ctx.set_output(1, Array(DType::kInt64, Shape{0}));
    return;
  }
  std::vector<Array> values;
  std::vector<std::int64_t> lengths;
  std::int64_t total = 0;
  Shape rest;
  for (std::int32_t i = 0; i < n; ++i) {
    values.push_back(array.Read(i));
    const Shape& shape = values.back().shape();
    if (shape.rank() == 0)
      throw InvalidArgumentError(fmt::format(
          "{}Concat saw a scalar shape at index {} but requires at least vectors.  Did you mean to call pack?",
          ctx.Where(), i));
    const Shape tail(shape.dims().subspan(1));
    if (i == 0) rest = tail;
    if (!(tail == rest))
      throw InvalidArgumentError(fmt::format(
          "{}TensorArray has inconsistent shapes.  Index 0 has (excepting dimension 0) shape: {} but index {} has "
          "(excepting dimension 0) shape: {}",
          ctx.Where(), rest.ToString(), i, tail.ToString()));
    if (!except0.IsCompatibleWith(tail))
      throw InvalidArgumentError(
          fmt::format("{}index {} has (excepting dimension 0) shape {}, attribute element_shape_except0 is {}",
                      ctx.Where(), i, tail.ToString(), except0.ToString()));
    lengths.push_back(shape[0]);
    total += shape[0];
  }
  ctx.set_output(0, Joined(ctx.output_dtype(0), Stacked(total, rest.dims()), values));
  ctx.set_output(1, Array::Of<std::int64_t>(Shape{n}, lengths));
}
void TensorArraySplit(KernelContext& ctx) {
  Elements::Lock array(ctx);
  array.RequireOpen();
  const Array& values = ctx.input(1);
  array.RequireDType(values.dtype(), "is trying to write");
  const std::vector<std::int64_t> lengths = Vector(ctx, 2, "lengths");
  if (values.rank() < 1)
    throw InvalidArgumentError(fmt::format("{}Expected value to be at least a vector, but received shape: {}",
                                           ctx.Where(), values.shape().ToString()));
  std::int64_t total = 0;
  for (const std::int64_t length : lengths) {
    if (length < 0 || length > values.dim(0))
      throw InvalidArgumentError(
          fmt::format("{}lengths must lie in [0, {}], got {}", ctx.Where(), values.dim(0), length));
    total += length;
    if (total > values.dim(0)) break;
  }
  if (total != values.dim(0))
    throw InvalidArgumentError(
        fmt::format("{}Expected sum of lengths to be equal to values.shape[0], but sum of lengths is {} and value's "
                    "shape is: {}",
                    ctx.Where(), total, values.shape().ToString()));
  array.RequireSize(std::ssize(lengths));
  const std::span<const std::int64_t> rest = values.shape().dims().subspan(1);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const Shape shape = Stacked(lengths[i], rest);
    array.Write(static_cast<std::int32_t>(i), Part(values, begin, shape));
    begin += shape.num_elements();
  }
  HandFlowOn(ctx, 0);
}
void TensorArraySize(KernelContext& ctx) {
  Elements::Lock array(ctx);
  array.RequireOpen();
  ctx.set_output(0, Array::Scalar(array.size()));
}
void TensorArrayClose(KernelContext& ctx) { Elements::Lock(ctx).Close(); }

}  // namespace equiv::cpu
