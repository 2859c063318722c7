// runtime/training/estimator.h - trains a model function in a session and keeps its checkpoints in a folder.
// tf: tf.estimator.Estimator, training and checkpoints only
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/checkpoint_utils.h"
#include "runtime/checkpoint/saver.h"

namespace equiv::runtime {

// One step's worth of data.
struct Example {
  Array features, labels;
};
// The examples, in order. Called once by every Train.
using InputFn = std::function<std::vector<Example>()>;
enum class ModeKeys { kTrain, kEval, kPredict };

struct EstimatorSpec {
  Tensor predictions = {};
  Node* train_op = nullptr;
  Tensor loss = {};  // a scalar
  // Writes object-based checkpoints instead of name-based ones. tf: Scaffold(saver=Checkpoint(...))
  std::shared_ptr<Checkpoint> checkpoint = nullptr;
};
// Builds the graph of a model; features and labels are placeholders.
using ModelFn = std::function<EstimatorSpec(const Tensor& features, const Tensor& labels, ModeKeys mode)>;

struct EstimatorOptions {
  // A checkpoint, or a folder of checkpoints, that trainable variables start with where model_dir has none yet.
  std::optional<WarmStartSettings> warm_start_from = std::nullopt;
  int keep_checkpoint_max = 5;
  double keep_checkpoint_every_n_hours = 10000;
  std::optional<std::int64_t> save_checkpoints_steps = std::nullopt;  // default: by time
  double save_checkpoints_secs = 600;
  std::optional<std::int64_t> tf_random_seed = std::nullopt;
};

class Estimator {
 public:
  // `model_dir` is made when training starts. ValueError when it is empty.
  Estimator(ModelFn model_fn, std::string model_dir, EstimatorOptions options = {});
  // Goes on from the newest checkpoint of model_dir, or initialises; runs train_op until `steps` more steps are done or
  // the data ends, and saves MODEL_DIR/model.ckpt-STEP before the first and after the last. ValueError: steps below 1,
  // a spec without loss or train_op, a train_op that does not count steps. InvalidArgumentError: the loss is NaN.
  Estimator& Train(const InputFn& input_fn, std::optional<std::int64_t> steps = std::nullopt);
  // A tensor of the newest checkpoint, by its key. ValueError: nothing is trained yet.
  Array GetVariableValue(const std::string& name) const;
  // The keys of the newest checkpoint, sorted.
  std::vector<std::string> GetVariableNames() const;
  std::optional<std::string> latest_checkpoint() const;
  const std::string& model_dir() const { return model_dir_; }

 private:
  std::string RequireCheckpoint() const;
  ModelFn model_fn_;
  std::string model_dir_;
  EstimatorOptions options_;
};

}  // namespace equiv::runtime
