// Recurrent layers.
#include <fmt/format.h>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/layers/keras.h"
#include "runtime/layers/layer_scope.h"

namespace equiv::runtime::keras {
namespace {

struct Kind {
  const char* class_name;
  const char* cell_class;
  std::int64_t gates;
};
constexpr Kind kKinds[] = {{"SimpleRNN", "SimpleRNNCell", 1}, {"LSTM", "LSTMCell", 4}, {"GRU", "GRUCell", 3}};

Tensor Unary(const char* op, const Tensor& x) { return Current().Add1(op, {x}); }
Tensor Sigmoid(const Tensor& x) { return Unary("Sigmoid", x); }
Tensor Tanh(const Tensor& x) { return Unary("Tanh", x); }
std::vector<Tensor> Split(const Tensor& x, std::int64_t parts, std::int32_t axis) {
  const Tensor dim = Constant(Array::Scalar(axis), "split/split_dim");
  const std::vector<Tensor> inputs = {dim, x};
  return Current().AddOp("Split", inputs, {{"num_split", parts}});
}

}  // namespace

RecurrentLayer::RecurrentLayer(Recurrent kind, std::int64_t units, const RecurrentOptions& options)
    : KerasLayer(kKinds[static_cast<std::size_t>(kind)].class_name, CommonOf(options)),
      kind_(kind),
      units_(units),
      options_(options),
      cell_name_(NextLayerName(SnakeCase(kKinds[static_cast<std::size_t>(kind)].cell_class))) {
  if (units < 1)
    throw ValueError(
        fmt::format("Received an invalid value for argument `units`, expected a positive integer, got {}.", units));
  // tf: RNN layers name the scope of their weights by the cell's class, without a number
  cell_name_ = SnakeCase(kKinds[static_cast<std::size_t>(kind)].cell_class);
  if (kind == Recurrent::kLstm) cell_->Set("state_size", Attribute::List{});
  Track("cell", cell_);
  Track("state_spec", Attribute::List{});
}

void RecurrentLayer::Build(const std::vector<PartialShape>& input_shapes) {
  RequireRank(input_shapes.at(0), 0, 3);
  const std::int64_t features = LastDimension(input_shapes.at(0)),
                     gates = kKinds[static_cast<std::size_t>(kind_)].gates;
  NameScope scope(cell_name_);
  kernel_ = AddWeight({.name = "kernel",
                       .shape = Shape{features, gates * units_},
                       .initializer = internal::DefaultKernelInitializer()});
  recurrent_ = AddWeight({.name = "recurrent_kernel",
                          .shape = Shape{units_, gates * units_},
                          .initializer = internal::DefaultRecurrentInitializer()});
  if (!options_.use_bias) return;
  Initializer initializer = ZerosInitializer();
  if (kind_ == Recurrent::kLstm)  // tf: unit_forget_bias
    initializer = {.name = "bias", .make = [units = units_](const Shape& shape, DType dtype) {
                     const Shape part{units}, rest{shape.dim(0) - 2 * units};
                     return Concat({Zeros(part, dtype), Ones(part, dtype), Zeros(rest, dtype)}, 0);
                   }};
  bias_ = AddWeight({.name = "bias",
                     .shape = kind_ == Recurrent::kGru ? Shape{2, gates * units_} : Shape{gates * units_},
                     .initializer = initializer});
}

Outputs RecurrentLayer::Call(const CallArgs& args) {
  const Tensor& x = args.inputs.at(0);
  RequireRank(x.shape(), 0, 3);
  const std::int64_t steps = x.shape().dim(1);
  if (steps < 0 || x.shape().dim(0) < 0)
    throw ValueError(
        fmt::format("layer '{}' needs a static batch size and number of steps, got {}", name(), x.shape().ToTuple()));
  Context& context = Current();
  const std::vector<Tensor> inputs = {x};
  const std::vector<Tensor> slices = context.AddOp("Unpack", inputs, {{"num", steps}, {"axis", std::int64_t{1}}});
  const Tensor kernel = kernel_.Read(), recurrent = recurrent_.Read();
  Tensor bias = bias_ ? bias_.Read() : Tensor(), recurrent_bias;
  if (bias.has_value() && kind_ == Recurrent::kGru) {
    const std::vector<Tensor> packed = {bias};
    const std::vector<Tensor> both =
        context.AddOp("Unpack", packed, {{"num", std::int64_t{2}}, {"axis", std::int64_t{0}}});
    bias = both[0];
    recurrent_bias = both[1];
  }
  const auto biased = [](const Tensor& y, const Tensor& b) { return b.has_value() ? BiasAdd(y, b) : y; };
  Tensor h = Zeros(Shape{x.shape().dim(0), units_}, x.dtype()), c = h;
  std::vector<Tensor> sequence;
  for (std::int64_t t = 0; t < steps; ++t) {
    const Tensor& step = slices[static_cast<std::size_t>(options_.go_backwards ? steps - 1 - t : t)];
    if (kind_ == Recurrent::kSimple) {
      h = Tanh(biased(MatMul(step, kernel), bias) + MatMul(h, recurrent));
    } else if (kind_ == Recurrent::kLstm) {
      const std::vector<Tensor> z = Split(biased(MatMul(step, kernel) + MatMul(h, recurrent), bias), 4, 1);
      const Tensor in = Sigmoid(z[0]), forget = Sigmoid(z[1]);
      c = forget * c + in * Tanh(z[2]);
      h = Sigmoid(z[3]) * Tanh(c);
    } else {
      const std::vector<Tensor> mx = Split(biased(MatMul(step, kernel), bias), 3, 1);
      const std::vector<Tensor> mh = Split(biased(MatMul(h, recurrent), recurrent_bias), 3, 1);
      const Tensor update = Sigmoid(mx[0] + mh[0]), reset = Sigmoid(mx[1] + mh[1]);
      const Tensor candidate = Tanh(mx[2] + reset * mh[2]);
      h = update * h + (1.0 - update) * candidate;
    }
    sequence.push_back(h);
  }
  if (!options_.return_sequences) return h;
  return context.AddOp("Pack", sequence, {{"axis", std::int64_t{1}}}).at(0);
}

namespace {
std::shared_ptr<RecurrentLayer> Copy(const RecurrentLayer& layer, const std::string& prefix, bool backwards) {
  RecurrentOptions options = layer.options();
  options.name = prefix + layer.name();
  if (backwards) options.go_backwards = !options.go_backwards;
  return std::make_shared<RecurrentLayer>(layer.kind(), layer.units(), options);
}
}  // namespace

Bidirectional::Bidirectional(std::shared_ptr<RecurrentLayer> layer, const Common& options)
    : KerasLayer("Bidirectional", options) {
  if (!layer) throw ValueError("Bidirectional needs a recurrent layer");
  forward_ = Copy(*layer, "forward_", false);
  backward_ = Copy(*layer, "backward_", true);
  TrackLayer(forward_);
  TrackLayer(backward_);
  Trackable::Track("forward_layer", forward_);
  Trackable::Track("backward_layer", backward_);
}
void Bidirectional::Build(const std::vector<PartialShape>& input_shapes) {
  for (const auto& layer : {forward_, backward_}) {
    NameScope scope(layer->name());
    layer->BuildFor(input_shapes);
  }
}
Outputs Bidirectional::Call(const CallArgs& args) {
  const Tensor forward = (*forward_)(args).output;
  Tensor backward = (*backward_)(args).output;
  if (forward_->options().return_sequences) {
    const Tensor axes = Constant(Array::Of<std::int32_t>(Shape{1}, {1}), "ReverseV2/axis");
    backward = Current().Add1("ReverseV2", {backward, axes});
  }
  return Concat({forward, backward}, forward.shape().rank() - 1);
}

}  // namespace equiv::runtime::keras
