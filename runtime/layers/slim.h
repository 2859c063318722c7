// runtime/layers/slim.h - the part of TF-Slim that image models use. Rules G1-G11.
#pragma once
#include <functional>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/layers/layer.h"
#include "runtime/variables/regularizers.h"

namespace equiv::runtime::slim {

using Activation = std::function<Tensor(const Tensor&)>;

struct BatchNormParams {
  double decay = 0.999, epsilon = 0.001;
  bool center = true, scale = false;
  std::optional<bool> is_training = {};                          // default: arg_scope's, else true
  std::optional<std::string> updates_collection = "update_ops";  // nullopt: the updates run with the output (G10)
};

// Arguments that arg_scope may set; an unset field falls through to the next outer arg_scope, then to slim's default.
struct Conv2dArgs {
  std::optional<int> stride = {};
  std::optional<std::string> padding = {};         // default SAME
  std::optional<Activation> activation = {};       // default Relu; an empty function: none
  std::optional<BatchNormParams> normalizer = {};  // set: batch_norm instead of a bias
  std::optional<bool> no_normalizer = {};          // true: overrides an outer normalizer (normalizer_fn=None)
  std::optional<Initializer> weights_initializer = {};
  std::optional<Regularizer> weights_regularizer = {};
  std::optional<Initializer> biases_initializer = {};
  std::optional<Regularizer> biases_regularizer = {};
  std::string scope = {};
};
struct FullyConnectedArgs {
  std::optional<Activation> activation = {};
  std::optional<BatchNormParams> normalizer = {};
  std::optional<bool> no_normalizer = {};
  std::optional<Initializer> weights_initializer = {};
  std::optional<Regularizer> weights_regularizer = {};
  std::optional<Initializer> biases_initializer = {};
  std::optional<Regularizer> biases_regularizer = {};
  std::string scope = {};
};
struct PoolArgs {
  std::optional<int> stride = {};           // default 2
  std::optional<std::string> padding = {};  // default VALID
  std::string scope = {};
};
struct DropoutArgs {
  std::optional<double> keep_prob = {};  // default 0.5
  std::optional<bool> is_training = {};  // default true
  std::string scope = {};
};

struct Kernel {
  std::int64_t height, width;
  Kernel(std::int64_t size) : height(size), width(size) {}  // NOLINT
  Kernel(std::int64_t h, std::int64_t w) : height(h), width(w) {}
};

Tensor Conv2d(const Tensor& x, std::int64_t outputs, Kernel kernel, const Conv2dArgs& args = {},
              const std::source_location& site = std::source_location::current());
Tensor FullyConnected(const Tensor& x, std::int64_t outputs, const FullyConnectedArgs& args = {},
                      const std::source_location& site = std::source_location::current());
Tensor BatchNorm(const Tensor& x, const BatchNormParams& params, std::string_view scope = {},
                 const std::source_location& site = std::source_location::current());
Tensor MaxPool2d(const Tensor& x, Kernel kernel, const PoolArgs& args = {});
Tensor AvgPool2d(const Tensor& x, Kernel kernel, const PoolArgs& args = {});
Tensor Dropout(const Tensor& x, const DropoutArgs& args = {});
Tensor Flatten(const Tensor& x, std::string_view scope = {});
Tensor Softmax(const Tensor& x, std::string_view scope = {});

// Defaults for the calls made during its life; nested scopes merge, the inner one wins, explicit arguments win over
// all. tf: slim.arg_scope
class ArgScope {
 public:
  struct Defaults {
    Conv2dArgs conv2d = {};
    FullyConnectedArgs fully_connected = {};
    PoolArgs max_pool2d = {}, avg_pool2d = {};
    DropoutArgs dropout = {};
    std::optional<bool> batch_norm_is_training = {};  // slim.arg_scope([slim.batch_norm], is_training=...)
  };
  explicit ArgScope(const Defaults& defaults);
  ~ArgScope();
  ArgScope(const ArgScope&) = delete;
  ArgScope& operator=(const ArgScope&) = delete;
};

// Calls layer(x) n times inside variable_scope(`scope` or default "Repeat"), each in scope `<layer_name>_<1..n>`. Rule
// G8.
Tensor Repeat(const Tensor& x, int n, const std::string& layer_name, const std::function<Tensor(const Tensor&)>& layer,
              std::string_view scope = {});

}  // namespace equiv::runtime::slim
