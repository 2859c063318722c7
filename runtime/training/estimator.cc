#include "runtime/training/estimator.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <filesystem>

#include "kernels/base/error.h"
#include "runtime/checkpoint/checkpoint_reader.h"
#include "runtime/checkpoint/checkpoint_state.h"
#include "runtime/checkpoint/saveable.h"
#include "runtime/core/log.h"
#include "runtime/core/ops.h"
#include "runtime/random/seeds.h"
#include "runtime/training/training_util.h"
#include "runtime/variables/scope_state.h"

namespace equiv::runtime {
namespace {

void Info(const std::string& text) { Log(LogLevel::kInfo, text); }

// Saves when it is time to, and tells the log as TensorFlow's hook does. tf: CheckpointSaverHook
class CheckpointSaver {
 public:
  CheckpointSaver(Saver& saver, Session& session, std::string prefix, const EstimatorOptions& options)
      : saver_(saver), session_(session), prefix_(std::move(prefix)), options_(options) {}

  void Save(std::int64_t step) {
    Info(fmt::format("Calling checkpoint listeners before saving checkpoint {}...", step));
    Info(fmt::format("Saving checkpoints for {} into {}.", step, prefix_));
    saver_.Save(&session_, prefix_, {.global_step = step});
    Info(fmt::format("Calling checkpoint listeners after saving checkpoint {}...", step));
    last_step_ = step;
    last_time_ = std::chrono::steady_clock::now();
  }
  void SaveIfDue(std::int64_t step) {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - last_time_;
    if (options_.save_checkpoints_steps ? step >= last_step_ + *options_.save_checkpoints_steps
                                        : passed.count() >= options_.save_checkpoints_secs)
      Save(step);
  }
  void SaveLast(std::int64_t step) {
    if (step != last_step_) Save(step);
  }

 private:
  Saver& saver_;
  Session& session_;
  std::string prefix_;
  const EstimatorOptions& options_;
  std::int64_t last_step_ = -1;
  std::chrono::steady_clock::time_point last_time_;
};

Tensor PlaceholderLike(const Array& array) {
  return array.has_value() ? Placeholder(array.dtype(), PartialShape(array.shape())) : Tensor();
}
}  // namespace

Estimator::Estimator(ModelFn model_fn, std::string model_dir, EstimatorOptions options)
    : model_fn_(std::move(model_fn)), model_dir_(std::move(model_dir)), options_(std::move(options)) {
  if (!model_fn_) throw ValueError("model_fn must be provided to Estimator.");
  if (model_dir_.empty()) throw ValueError("Estimator: model_dir must not be empty; checkpoints go there");
}

Estimator& Estimator::Train(const InputFn& input_fn, std::optional<std::int64_t> steps) {
  if (steps && *steps <= 0) throw ValueError(fmt::format("Must specify steps > 0, given: {}", *steps));
  const std::vector<Example> examples = input_fn();
  if (examples.empty()) throw ValueError("Estimator: input_fn gave no example");
  Graph graph;
  GraphScope in_graph(graph);
  if (options_.tf_random_seed) SetRandomSeed(*options_.tf_random_seed);
  const Variable global_step = CreateGlobalStep();
  const Tensor features = PlaceholderLike(examples[0].features), labels = PlaceholderLike(examples[0].labels);
  Info("Calling model_fn.");
  const EstimatorSpec spec = model_fn_(features, labels, ModeKeys::kTrain);
  Info("Done calling model_fn.");
  if (!spec.loss.has_value()) throw ValueError("Missing loss.");
  if (!spec.train_op) throw ValueError("Missing train_op.");
  const std::optional<std::string> latest = LatestCheckpoint(model_dir_);
  if (options_.warm_start_from && !latest) {
    Info("Warm-starting with WarmStartSettings: " + options_.warm_start_from->ToString());
    WarmStart(*options_.warm_start_from);
  }
  Info("Create CheckpointSaverHook.");
  const SaverOptions saving{.max_to_keep = options_.keep_checkpoint_max,
                            .keep_checkpoint_every_n_hours = options_.keep_checkpoint_every_n_hours,
                            .sharded = true,
                            .allow_empty = true};
  const auto saver =
      spec.checkpoint ? std::make_unique<Saver>(*spec.checkpoint, saving) : std::make_unique<Saver>(saving);
  Node* const init = GlobalVariablesInitializer();
  graph.Finalize();
  Info("Graph was finalized.");

  Session session(graph);
  session.Run(init);
  if (latest) saver->Restore(&session, *latest);
  Info("Running local_init_op.");
  Info("Done running local_init_op.");
  std::error_code error;
  std::filesystem::create_directories(model_dir_, error);
  if (error) throw NotFoundError(fmt::format("{}; {}", model_dir_, error.message()));
  const auto step = [&] {
    return internal::StorageOf(global_step, &session)->Read("Estimator").data<std::int64_t>()[0];
  };
  CheckpointSaver checkpoints(*saver, session, (std::filesystem::path(model_dir_) / "model.ckpt").string(), options_);
  const std::int64_t first = step();
  checkpoints.Save(first);
  double loss = 0;
  for (const Example& example : examples) {
    if (steps && step() >= first + *steps) break;
    const std::int64_t before = step();
    std::vector<Feed> feeds;
    if (features.has_value()) feeds.push_back({features, example.features});
    if (labels.has_value()) feeds.push_back({labels, example.labels});
    loss = session.RunNested(Fetch::List{spec.loss, spec.train_op}, feeds)[0].array.ElementAsDouble(0);
    if (std::isnan(loss)) throw InvalidArgumentError("NaN loss during training.");
    if (before == first) Info(fmt::format("loss = {}, step = {}", internal::FloatRepr(loss), before));
    if (step() == before)
      throw ValueError("Estimator: train_op did not increment the global step; it must, or training never ends");
    checkpoints.SaveIfDue(step());
  }
  checkpoints.SaveLast(step());
  Info(fmt::format("Loss for final step: {}.", internal::FloatRepr(loss)));
  return *this;
}

std::optional<std::string> Estimator::latest_checkpoint() const { return LatestCheckpoint(model_dir_); }
std::string Estimator::RequireCheckpoint() const {
  const std::optional<std::string> latest = latest_checkpoint();
  if (!latest)
    throw ValueError(fmt::format("Could not find trained model in model_dir: {}, train it first", model_dir_));
  return *latest;
}
Array Estimator::GetVariableValue(const std::string& name) const { return LoadVariable(RequireCheckpoint(), name); }
std::vector<std::string> Estimator::GetVariableNames() const {
  std::vector<std::string> names;
  for (auto& [name, shape] : ListVariables(RequireCheckpoint())) names.push_back(name);
  return names;
}
}  // namespace equiv::runtime
