// runtime/layers/slim.h - the part of TF-Slim that image models use. Rules G1-G11.
#pragma once
#include <functional>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/layers/layer.h"
#include "runtime/random/initializers.h"
#include "runtime/variables/regularizers.h"

namespace equiv::runtime::slim {

using runtime::Activation;

struct BatchNormParams {
  double decay = 0.999, epsilon = 0.001;
  bool center = true, scale = false;
  std::optional<bool> is_training = {};                          // default: arg_scope's, else true
  std::optional<std::string> updates_collection = "update_ops";  // nullopt: the updates run with the output (G10)
  Activation activation = {};
  std::optional<bool> fused = {};
  bool trainable = true;
  Initializer beta_initializer = {}, gamma_initializer = {};
  Regularizer beta_regularizer = {}, gamma_regularizer = {};
  std::optional<Reuse> reuse = {};
  std::vector<std::string> outputs_collections = {}, variables_collections = {};
};

// Arguments that arg_scope may set; an unset field falls through to the next outer arg_scope, then to slim's default.
struct Conv2dArgs {
  std::optional<int> stride = {};
  std::optional<int> stride_width = {};  // default: stride
  int rate = 1;
  std::optional<std::string> padding = {};         // default SAME
  std::optional<Activation> activation = {};       // default Relu; an empty function: none
  std::optional<BatchNormParams> normalizer = {};  // set: batch_norm instead of a bias
  std::optional<bool> no_normalizer = {};          // true: overrides an outer normalizer (normalizer_fn=None)
  std::optional<Initializer> weights_initializer = {};
  std::optional<Regularizer> weights_regularizer = {};
  std::optional<Initializer> biases_initializer = {};
  std::optional<Regularizer> biases_regularizer = {};
  std::optional<Activation> normalizer_fn = {};  // any function instead of batch_norm; an empty one: none
  std::optional<Reuse> reuse = {};
  std::vector<std::string> outputs_collections = {}, variables_collections = {};
  std::optional<std::vector<std::string>> biases_collections = {};  // default: variables_collections
  bool trainable = true;
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
  std::optional<Activation> normalizer_fn = {};  // any function instead of batch_norm; an empty one: none
  std::optional<Reuse> reuse = {};
  std::vector<std::string> outputs_collections = {}, variables_collections = {};
  std::optional<std::vector<std::string>> biases_collections = {};  // default: variables_collections
  bool trainable = true;
  std::string scope = {};
};
struct PoolArgs {
  std::optional<int> stride = {};           // default 2
  std::optional<std::string> padding = {};  // default VALID
  std::vector<std::string> outputs_collections = {};
  std::string scope = {};
};
struct DropoutArgs {
  std::optional<double> keep_prob = {};  // default 0.5
  std::optional<bool> is_training = {};  // default true
  OpSeed seed = {};
  std::vector<std::string> outputs_collections = {};
  std::string scope = {};
};

struct Kernel {
  std::int64_t height, width;
  Kernel(std::int64_t size) : height(size), width(size) {}  // NOLINT
  Kernel(std::int64_t h, std::int64_t w) : height(h), width(w) {}
};

Tensor Conv2d(const Tensor& x, std::int64_t outputs, Kernel kernel, const Conv2dArgs& args = {},
              const std::source_location& site = std::source_location::current());
// `outputs` nullopt: depthwise only. Weights depthwise_weights, pointwise_weights.
Tensor SeparableConv2d(const Tensor& x, std::optional<std::int64_t> outputs, Kernel kernel,
                       std::int64_t depth_multiplier = 1, const Conv2dArgs& args = {},
                       const std::source_location& site = std::source_location::current());
Tensor Conv2dTranspose(const Tensor& x, std::int64_t outputs, Kernel kernel, const Conv2dArgs& args = {},
                       const std::source_location& site = std::source_location::current());
Tensor Conv2dInPlane(const Tensor& x, Kernel kernel, const Conv2dArgs& args = {},
                     const std::source_location& site = std::source_location::current());
Tensor BiasAdd(const Tensor& x, const FullyConnectedArgs& args = {},
               const std::source_location& site = std::source_location::current());
struct LayerNormArgs {
  bool center = true, scale = true;
  Activation activation = {};
  int begin_norm_axis = 1, begin_params_axis = -1;
  std::optional<Reuse> reuse = {};
  std::vector<std::string> outputs_collections = {};
  std::string scope = {};
};
Tensor LayerNorm(const Tensor& x, const LayerNormArgs& args = {},
                 const std::source_location& site = std::source_location::current());
// x / sqrt(epsilon + sum of squares along `dim`).
Tensor UnitNorm(const Tensor& x, int dim, double epsilon = 1e-7, std::string_view scope = {});
Tensor FullyConnected(const Tensor& x, std::int64_t outputs, const FullyConnectedArgs& args = {},
                      const std::source_location& site = std::source_location::current());
Tensor BatchNorm(const Tensor& x, const BatchNormParams& params, std::string_view scope = {},
                 const std::source_location& site = std::source_location::current());
Tensor MaxPool2d(const Tensor& x, Kernel kernel, const PoolArgs& args = {});
Tensor AvgPool2d(const Tensor& x, Kernel kernel, const PoolArgs& args = {});
Tensor Dropout(const Tensor& x, const DropoutArgs& args = {});
Tensor Flatten(const Tensor& x, std::string_view scope = {}, const std::vector<std::string>& outputs_collections = {});
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
//
// The layer is called with the scope it shall open.
using ScopedLayer = std::function<Tensor(const Tensor& x, const std::string& scope)>;
Tensor RepeatScoped(const Tensor& x, int n, const std::string& layer_name, const ScopedLayer& layer,
                    std::string_view scope = {});
// As RepeatScoped, in variable_scope(`scope` or default "Stack"), with one layer per entry. tf: slim.stack
Tensor Stack(const Tensor& x, const std::vector<ScopedLayer>& layers, const std::string& layer_name,
             std::string_view scope = {});
Tensor Repeat(const Tensor& x, int n, const std::string& layer_name, const std::function<Tensor(const Tensor&)>& layer,
              std::string_view scope = {});

// get_variable in the collections global and, for ModelVariable, model variables. tf: slim.variable,
// slim.model_variable
Variable MakeSlimVariable(std::string_view name, GetVariableOptions options = {},
                          const std::source_location& site = std::source_location::current());
Variable ModelVariable(std::string_view name, GetVariableOptions options = {},
                       const std::source_location& site = std::source_location::current());
Variable LocalVariable(const Tensor& initial_value, const std::string& name = {},
                       const std::source_location& site = std::source_location::current());
// Variables of a collection whose name starts with `scope` and, if given, ends with `suffix`. tf: slim.get_variables
std::vector<Variable> GetVariables(std::string_view scope = {}, std::string_view suffix = {},
                                   std::string_view collection = kGlobalVariables);
// ValueError unless there is exactly one. tf: slim.get_unique_variable
Variable GetUniqueVariable(std::string_view name);
// All, or those matching a prefix of `include`, without those matching one of `exclude`.
std::vector<Variable> GetVariablesToRestore(const std::vector<std::string>& include = {},
                                            const std::vector<std::string>& exclude = {});
// Outputs collected under their scope names, in order. tf: slim.utils.convert_collection_to_dict
std::vector<std::pair<std::string, Tensor>> ConvertCollectionToDict(std::string_view collection);

}  // namespace equiv::runtime::slim
