#include "equiv/harness/checkpoint_start.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>

#include "kernels/base/error.h"
#include "runtime/checkpoint/checkpoint_reader.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/core/log.h"

namespace equiv {
namespace {
using runtime::Attribute;
using runtime::Saver;

// Savers say that they are deprecated and which kind of file they read; the stages say that themselves.
runtime::ScopedLogSink Quiet() {
  return runtime::ScopedLogSink([](runtime::LogLevel, const std::string&) {});
}
Saver::VarList ListOf(const std::vector<runtime::Variable>& variables) { return {variables.begin(), variables.end()}; }
Attribute::Dict DictOf(const std::vector<runtime::Variable>& variables) {
  Attribute::Dict dict;
  for (const runtime::Variable& v : variables) dict.emplace_back(v.op_name(), v);
  return dict;
}
}  // namespace

std::string_view Name(CheckpointKind kind) {
  return kind == CheckpointKind::kNameBased ? "name-based" : "object-based";
}

CheckpointKind KindOfCheckpoint(const std::string& prefix) {
  return runtime::CheckpointReader(prefix).HasTensor(runtime::kObjectGraphKey) ? CheckpointKind::kObjectBased
                                                                               : CheckpointKind::kNameBased;
}

void SaveVariables(runtime::Session& session, const std::vector<runtime::Variable>& variables,
                   const SaveRequest& save) {
  const auto quiet = Quiet();
  if (save.kind == CheckpointKind::kNameBased) {
    Saver(ListOf(variables)).Save(&session, save.prefix, {.write_meta_graph = false, .write_state = false});
    return;
  }
  runtime::SessionScope scope(session);
  runtime::Checkpoint({{"var_list", DictOf(variables)}}).Write(save.prefix);
}

void SaveVariables(runtime::Layer& layer, const std::vector<runtime::Variable>& variables, const SaveRequest& save) {
  const auto quiet = Quiet();
  if (save.kind == CheckpointKind::kNameBased)
    Saver(ListOf(variables)).Save(nullptr, save.prefix, {.write_state = false});
  else
    runtime::Checkpoint(layer).Write(save.prefix);
}

void RestoreVariables(runtime::Session& session, const std::vector<runtime::Variable>& variables,
                      const std::string& prefix) {
  if (variables.empty()) return;
  const auto quiet = Quiet();
  try {
    Saver(ListOf(variables)).Restore(&session, prefix);
  } catch (const NotFoundError&) {
    const std::optional<runtime::ObjectGraph> graph = runtime::CheckpointReader(prefix).ReadObjectGraph();
    if (!graph) throw;
    for (const auto& child : graph->nodes.at(0).children) {
      const auto& items = graph->nodes.at(static_cast<std::size_t>(child.node)).children;
      const auto holds = [&](const runtime::Variable& v) {
        return std::ranges::any_of(items, [&](const auto& item) { return item.name == v.op_name(); });
      };
      if (!std::ranges::all_of(variables, holds)) continue;
      runtime::Checkpoint checkpoint({{child.name, DictOf(variables)}});
      checkpoint.Read(prefix)->AssertExistingObjectsMatched()->ExpectPartial()->RunRestoreOps(&session);
      return;
    }
    throw;
  }
}

// Assigns every variable as soon as it is made.
class EagerCheckpointStart::FullNames {
 public:
  explicit FullNames(const std::string& prefix)
      : reader_(prefix), scope_([this](const runtime::VariableNext& next, const runtime::VariableCreationArgs& args) {
          runtime::Variable v = next(args);
          if (const auto key = keys_.find(v.op_name()); key != keys_.end()) {
            v.Assign(runtime::Tensor(reader_.GetTensor(key->second)));
            assigned_.push_back(v);
          }
          return v;
        }) {
    for (auto& [name, key] : runtime::ObjectGraphKeyMapping(prefix)) keys_.emplace(name, key);
  }
  bool Assigned(const runtime::Variable& v) const { return std::ranges::find(assigned_, v) != assigned_.end(); }

 private:
  runtime::CheckpointReader reader_;
  std::map<std::string, std::string> keys_;
  std::vector<runtime::Variable> assigned_;
  runtime::VariableCreatorScope scope_;
};

EagerCheckpointStart::EagerCheckpointStart(const std::string& prefix, runtime::Layer& layer, bool by_full_name)
    : kind_(KindOfCheckpoint(prefix)) {
  if (by_full_name) {
    names_ = std::make_unique<FullNames>(prefix);
    return;
  }
  const auto quiet = Quiet();
  status_ = runtime::Checkpoint(layer).Read(prefix);
}
EagerCheckpointStart::~EagerCheckpointStart() = default;

void EagerCheckpointStart::Finish(const std::vector<runtime::Variable>& created) {
  if (status_) {
    status_->ExpectPartial();
    if (kind_ == CheckpointKind::kNameBased)
      status_->AssertConsumed();
    else
      status_->AssertExistingObjectsMatched()->AssertNontrivialMatch();
    return;
  }
  std::vector<std::string> missing;
  for (const runtime::Variable& v : created)
    if (!names_->Assigned(v)) missing.push_back(v.name());
  if (!missing.empty())
    throw AssertionError(fmt::format(
        "the checkpoint holds no value for {} of {} variables, among them {}", missing.size(), created.size(),
        fmt::join(missing.begin(), missing.begin() + std::min<std::ptrdiff_t>(5, std::ssize(missing)), ", ")));
}
}  // namespace equiv
