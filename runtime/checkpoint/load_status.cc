#include "runtime/checkpoint/load_status.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "kernels/base/error.h"
#include "runtime/checkpoint/saveable.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/core/log.h"
#include "runtime/variables/variable_impl.h"

namespace equiv::runtime::internal {
namespace {

Session& SessionFor(Session* given) {
  Session* session = given ? given : DefaultSession();
  if (!session) throw RuntimeError("restoring in a graph needs a session: give one, or make one the default");
  return *session;
}

std::string DescribeNode(const ObjectGraph::Node& node) {
  std::string text;
  for (const auto& a : node.attributes)
    text += fmt::format("attributes {{\n  name: \"{}\"\n  full_name: \"{}\"\n  checkpoint_key: \"{}\"\n}}\n", a.name,
                        a.full_name, a.checkpoint_key);
  if (node.has_checkpoint_values) text += "has_checkpoint_values {\n  value: true\n}\n";
  return text;
}
std::string Described(const std::vector<Variable>& variables, std::size_t most) {
  std::vector<std::string> texts;
  for (const Variable& v : variables)
    if (texts.size() < most) texts.push_back(v.Describe());
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

class ObjectStatus final : public LoadStatus {
 public:
  ObjectStatus(GraphView view, std::shared_ptr<RestoreCoordinator> coordinator)
      : view_(std::move(view)), coordinator_(std::move(coordinator)) {}

  std::shared_ptr<LoadStatus> AssertConsumed() override {
    const RestoreCoordinator& c = *coordinator_;
    AssertExistingObjectsMatched();
    for (std::size_t i = 0; i < c.graph.nodes.size(); ++i) {
      const ObjectGraph::Node& node = c.graph.nodes[i];
      if (!node.attributes.empty() && !c.object_by_id[i])
        throw AssertionError(
            fmt::format("Unresolved object in checkpoint {}: {}", c.NodeName(static_cast<int>(i)), DescribeNode(node)));
    }
    if (!c.slot_restorations.empty()) {
      std::vector<std::string> waiting;
      for (const auto& [variable, slots] : c.slot_restorations)
        for (const auto& slot : slots) waiting.push_back(c.NodeName(slot.slot));
      throw AssertionError(fmt::format("Unresolved slot restorations: {}", fmt::join(waiting, ", ")));
    }
    if (!c.unused_attributes.empty()) {
      std::vector<std::string> lines;
      for (const auto& [id, names] : c.unused_attributes)
        lines.push_back(fmt::format("{}: {}", c.NodeName(id), fmt::join(names, ", ")));
      throw AssertionError(
          fmt::format("Unused attributes in these objects (the attributes exist in the checkpoint but were not "
                      "restored):\n{}",
                      fmt::join(lines, "\n")));
    }
    return shared_from_this();
  }

  std::shared_ptr<LoadStatus> AssertExistingObjectsMatched() override {
    const RestoreCoordinator& c = *coordinator_;
    for (std::size_t i = 0; i < c.graph.nodes.size(); ++i)
      if (c.object_by_id[i] && UpdateUid(c.object_by_id[i]) < c.uid)
        throw AssertionError(
            fmt::format("Object {} not assigned a value from checkpoint.", DescribeNode(c.graph.nodes[i])));
    const std::vector<Variable> unmatched = Unmatched();
    if (!unmatched.empty()) {
      const std::size_t shown = std::min<std::size_t>(10, unmatched.size());
      throw AssertionError(fmt::format(
          "Found {0} Python objects that were not bound to checkpointed values, likely due to changes in the Python "
          "program. Showing {1} of {0} unmatched objects: {2}",
          unmatched.size(), shown, Described(unmatched, shown)));
    }
    return shared_from_this();
  }

  std::shared_ptr<LoadStatus> AssertNontrivialMatch() override {
    const RestoreCoordinator& c = *coordinator_;
    if (std::ranges::count_if(c.object_by_id, [](const TrackableRef& r) { return static_cast<bool>(r); }) > 1)
      return shared_from_this();
    const std::vector<Variable> unmatched = Unmatched();
    if (unmatched.empty())
      throw AssertionError(fmt::format("Nothing to load. No dependencies have been added to {} yet.",
                                       view_.root.object() ? view_.root.object()->Describe() : "the root"));
    throw AssertionError(
        fmt::format("Nothing except the root object matched a checkpointed value. Typically this means that the "
                    "checkpoint does not match the Python program. The following objects have no matching checkpointed "
                    "value: {}",
                    Described(unmatched, unmatched.size())));
  }

  void RunRestoreOps(Session* session) override {
    if (coordinator_->eager) return;
    AssignFrom(coordinator_->reader->bundle(), coordinator_->restore_ops,
               {.session = &SessionFor(session), .tensor_names = true});
  }

  void InitializeOrRestore(Session* given) override {
    if (coordinator_->eager) return;
    Session& session = SessionFor(given);
    const RestoreCoordinator& c = *coordinator_;
    std::vector<Node*> initializers;
    for (const TrackableRef& ref : ListObjects(view_))
      if (ref.variable() && ref.variable().initializer() && UpdateUid(ref) < c.uid &&
          std::ranges::find(c.object_by_id, ref) == c.object_by_id.end())
        initializers.push_back(ref.variable().initializer());
    RunRestoreOps(&session);
    for (Node* node : initializers) session.Run(node);
  }

  std::shared_ptr<LoadStatus> ExpectPartial() override {
    coordinator_->expect_partial = true;
    return shared_from_this();
  }
  void StreamInto(Session& session) {
    RunRestoreOps(&session);
    coordinator_->streaming = true;
  }

 private:
  // Variables that exist and were given nothing.
  std::vector<Variable> Unmatched() {
    RestoreCoordinator& c = *coordinator_;
    for (const TrackableRef& ref : ListObjects(view_)) c.AddObject(ref);
    std::vector<Variable> unmatched;
    for (const TrackableRef& ref : c.all_objects)
      if (ref.variable() && std::ranges::find(c.object_by_id, ref) == c.object_by_id.end())
        unmatched.push_back(ref.variable());
    return unmatched;
  }
  GraphView view_;
  std::shared_ptr<RestoreCoordinator> coordinator_;
};

class InitializationOnlyStatus final : public LoadStatus {
 public:
  explicit InitializationOnlyStatus(GraphView view) : view_(std::move(view)), uid_(NextRestoreUid()) {}
  std::shared_ptr<LoadStatus> AssertConsumed() override { Refuse(); }
  std::shared_ptr<LoadStatus> AssertExistingObjectsMatched() override { Refuse(); }
  std::shared_ptr<LoadStatus> AssertNontrivialMatch() override { Refuse(); }
  void RunRestoreOps(Session*) override {
    throw AssertionError("No checkpoint specified, so no restore ops are available (save_path=None to Saver.restore).");
  }
  void InitializeOrRestore(Session* given) override {
    if (Current().eager()) return;
    Session& session = SessionFor(given);
    for (const TrackableRef& ref : ListObjects(view_))
      if (ref.variable() && ref.variable().initializer() && UpdateUid(ref) < uid_)
        session.Run(ref.variable().initializer());
  }

 private:
  [[noreturn]] static void Refuse() {
    throw AssertionError("No checkpoint specified (save_path=None); nothing is being restored.");
  }
  GraphView view_;
  std::int64_t uid_;
};

class NameStatus final : public LoadStatus {
 public:
  NameStatus(GraphView view, std::shared_ptr<NameBasedRestore> restore, bool eager)
      : view_(std::move(view)), restore_(std::move(restore)), eager_(eager) {}
  std::vector<Variable> optional;

  std::shared_ptr<LoadStatus> AssertConsumed() override {
    std::string unused;
    for (const Variable& v : restore_->unused)
      if (std::ranges::find(optional, v) == optional.end())
        unused += fmt::format("\n    {}: ['{}']", v.Describe(), v.op_name());
    if (!unused.empty()) throw AssertionError("Some objects had attributes which were not restored: " + unused);
    for (const TrackableRef& ref : ListObjects(view_))
      if (ref && UpdateUid(ref) < restore_->uid)
        throw AssertionError(fmt::format("Object not restored: {}",
                                         ref.variable() ? ref.variable().Describe() : ref.object()->Describe()));
    return shared_from_this();
  }
  std::shared_ptr<LoadStatus> AssertExistingObjectsMatched() override { return AssertConsumed(); }
  std::shared_ptr<LoadStatus> AssertNontrivialMatch() override { return AssertConsumed(); }

  void RunRestoreOps(Session* session) override {
    if (eager_) return;
    Saver::VarList variables;
    for (const TrackableRef& ref : ListObjects(view_)) {
      std::int64_t& restored = UpdateUid(ref);
      if (restored >= restore_->uid) continue;
      restored = restore_->uid;
      if (ref.variable()) variables.emplace_back(ref.variable());
    }
    Session& running = SessionFor(session);
    GraphScope scope(running.graph());
    Saver(std::move(variables)).Restore(&running, restore_->reader->prefix());
  }
  void InitializeOrRestore(Session* session) override { RunRestoreOps(session); }

 private:
  GraphView view_;
  std::shared_ptr<NameBasedRestore> restore_;
  bool eager_;
};
}  // namespace

std::shared_ptr<LoadStatus> MakeLoadStatus(const GraphView& view, std::shared_ptr<RestoreCoordinator> coordinator) {
  return std::make_shared<ObjectStatus>(view, std::move(coordinator));
}
std::shared_ptr<LoadStatus> MakeInitializationOnlyStatus(const GraphView& view) {
  return std::make_shared<InitializationOnlyStatus>(view);
}
std::shared_ptr<LoadStatus> RestoreByName(const GraphView& view, std::shared_ptr<CheckpointReader> reader, bool eager) {
  auto restore = std::make_shared<NameBasedRestore>(std::move(reader));
  if (eager) {
    std::vector<TrackableRef> refs = {view.root};
    for (const TrackableChild& child : view.attached) refs.push_back(child.ref);
    for (const TrackableRef& ref : ListObjects(view))
      if (ref.variable()) refs.push_back(ref);  // slots too
    restore->Restore(refs);
  }
  Log(LogLevel::kWarning,
      "Restoring a name-based tf.train.Saver checkpoint using the object-based restore API. This mode uses global "
      "names "
      "to match variables, and so is somewhat fragile. Prefer re-encoding training checkpoints in the object-based "
      "format: run save() on the object-based saver and use that checkpoint in the future.");
  return std::make_shared<NameStatus>(view, std::move(restore), eager);
}
void StreamingRestore(LoadStatus& status, Session& session) {
  if (auto* by_object = dynamic_cast<ObjectStatus*>(&status)) {
    by_object->StreamInto(session);
    return;
  }
  throw UnimplementedError(
      "Streaming restore not supported from name-based checkpoints when graph building. As a workaround, consider "
      "either using Checkpoint to load name-based checkpoints or enabling eager execution.");
}
void OptionallyRestored(LoadStatus& status, const Variable& variable) {
  if (auto* by_name = dynamic_cast<NameStatus*>(&status)) by_name->optional.push_back(variable);
}
}  // namespace equiv::runtime::internal
