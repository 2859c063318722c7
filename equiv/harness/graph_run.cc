#include "equiv/harness/graph_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <unordered_set>

#include "equiv/compare/printable.h"
#include "equiv/harness/checkpoint_start.h"
#include "equiv/harness/graph_side.h"
#include "equiv/harness/open_source.h"
#include "kernels/base/error.h"
#include "runtime/checkpoint/checkpoint_reader.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/graph/graph_def.h"
#include "runtime/graph/graph_summary.h"
#include "runtime/session/session.h"

namespace equiv {
namespace {
using runtime::Graph;
using runtime::GraphSummary;
using runtime::Node;
using runtime::Session;
using runtime::Tensor;

std::string NodeName(const std::string& name) { return name.substr(0, name.find(':')); }

std::string ItemText(const GraphSummary::Item& item) {
  return fmt::format("{} {}{}", Printable(item.name), Name(item.dtype), item.shape.ToString());
}
std::string Some(const std::vector<std::string>& names, std::size_t most) {
  const std::vector<std::string> first(names.begin(),
                                       names.begin() + static_cast<std::ptrdiff_t>(std::min(most, names.size())));
  return fmt::format("{}{}", fmt::join(first, ", "),
                     names.size() > most ? fmt::format(" and {} more", names.size() - most) : "");
}

void RequireNode(const GraphSummary& summary, const std::string& path, const std::string& name, const char* what) {
  const std::string node = NodeName(name);
  if (std::ranges::find(summary.node_names, node) != summary.node_names.end()) return;
  std::vector<std::string> near;
  for (const std::string& n : NearestNames(node, summary.node_names, 5)) near.push_back(fmt::format("'{}'", n));
  throw KeyError(fmt::format("'{}' has no operation '{}' to {}{}", path, Printable(node), what,
                             near.empty() ? "; --list shows what there is" : "; near it: " + Some(near, 5)));
}

bool IsVariableOp(const Node& node) {
  return node.op() == "VarHandleOp" || node.op() == "VariableV2" || node.op() == "Variable";
}

// What the fetches need, up to what is fed.
struct Needed {
  std::unordered_set<const Node*> nodes;
  std::vector<const Node*> variables;  // whose values are read; those that the run itself assigns first are not
};
Needed Reach(const std::vector<const Node*>& fetches, const std::unordered_set<const Edge*>& fed) {
  Needed needed;
  std::unordered_set<const Node*> read, assigned;
  std::vector<const Node*> stack;
  const auto visit = [&](const Node* node) {
    if (needed.nodes.insert(node).second) stack.push_back(node);
  };
  for (const Node* node : fetches) {
    visit(node);
    if (IsVariableOp(*node)) read.insert(node);
  }
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    const bool asks = node->op() == "VarIsInitializedOp" || node->op() == "IsVariableInitialized";
    const bool assigns = node->op() == "AssignVariableOp" || node->op() == "Assign";
    for (std::size_t i = 0; i < node->inputs().size(); ++i) {
      const Edge* edge = node->inputs()[i];
      if (fed.contains(edge)) continue;
      const Node* from = Tensor(edge).node();
      if (IsVariableOp(*from) && assigns && i == 0)
        assigned.insert(from);
      else if (IsVariableOp(*from) && !asks)
        read.insert(from);
      visit(from);
    }
    for (const Node* from : node->control_inputs()) visit(from);
  }
  for (const Node* v : read)
    if (!assigned.contains(v)) needed.variables.push_back(v);
  std::ranges::sort(needed.variables, {}, [](const Node* node) { return node->id(); });
  return needed;
}

class Runner {
 public:
  Runner(const std::string& path, const GraphRunOptions& options) : path_(path), options_(options) {}

  GraphRun Run() {
    Progress("reading");
    summary_ = runtime::SummarizeGraphFile(path_);
    for (const std::string& name : options_.fetches) RequireNode(summary_, path_, name, "fetch");
    for (const auto& [name, value] : options_.feeds) RequireNode(summary_, path_, name, "feed");
    if (!options_.init.empty()) RequireNode(summary_, path_, options_.init, "initialise with");
    Import();
    runtime::GraphScope graph_scope(*graph_);
    Resolve();
    Session session(*graph_, {.backend = options_.backend});
    Initialize(session);
    RequireInitialized(session);
    Progress("running");
    const std::int64_t before = session.ops_executed();
    const runtime::Fetched fetched = session.RunNested(fetches_, feeds_);
    run_.ops_executed = session.ops_executed() - before;
    for (std::size_t i = 0; i < names_.size(); ++i) run_.values.push_back({names_[i], fetched[i].array});
    return std::move(run_);
  }

 private:
  void Progress(const std::string& phase) const {
    if (options_.progress) options_.progress(phase);
  }

  // Everything, or where ops are missing only what is asked for.
  void Import() {
    Progress("importing");
    // Without fetches everything is looked at, to find the tensor that is meant.
    if (summary_.missing_ops.empty() || options_.fetches.empty()) return Import({});
    std::vector<std::string> targets = options_.fetches;
    for (const auto& [name, value] : options_.feeds) targets.push_back(name);
    if (!options_.init.empty()) targets.push_back(options_.init);
    Import(targets);
    if (!options_.init.empty() || !options_.checkpoint.empty()) return;
    // The initialisers of the variables that came with them.
    const std::set<std::string> names(summary_.node_names.begin(), summary_.node_names.end());
    std::vector<std::string> with_initializers = targets;
    for (const auto& node : graph_->nodes())
      if (IsVariableOp(*node) && names.contains(node->name() + "/Assign"))
        with_initializers.push_back(node->name() + "/Assign");
    if (with_initializers.size() > targets.size()) Import(with_initializers);
  }
  void Import(const std::vector<std::string>& targets) {
    graph_ = std::make_unique<Graph>();
    meta_ = runtime::ImportGraphFile(*graph_, path_, {.targets = targets});
  }

  Tensor FindTensor(const std::string& name, const char* what) const {
    try {
      return graph_->FindTensor(name);
    } catch (const ValueError& error) {
      throw KeyError(fmt::format("'{}': cannot {} '{}': {}", path_, what, Printable(name), error.what()));
    }
  }

  void Resolve() {
    std::unordered_set<const Edge*> fed;
    for (const auto& [name, value] : options_.feeds) {
      const Tensor target = FindTensor(name, "feed");
      if (!fed.insert(target.edge()).second) throw KeyError(fmt::format("'{}' is fed twice", Printable(name)));
      RequireFits(name, target, value);
      feeds_.push_back({target, value});
    }
    names_ = options_.fetches;
    if (names_.empty()) names_ = {FinalTensor()};
    std::vector<const Node*> nodes;
    for (const std::string& name : names_) {
      Node* node = graph_->FindNode(NodeName(name));
      if (name.find(':') == std::string::npos && node && node->num_outputs() == 0) {
        fetches_.emplace_back(node);
        nodes.push_back(node);
        continue;
      }
      const Tensor tensor = FindTensor(name, "fetch");
      const bool handle = tensor.dtype() == DType::kResource || tensor.dtype() == DType::kVariant;
      if (handle && !tensor.edge()->is_ref) {
        const std::string read = NodeName(name) + "/Read/ReadVariableOp";
        throw KeyError(fmt::format("'{}' is a {}, which has no value to fetch{}", Printable(name), Name(tensor.dtype()),
                                   graph_->FindNode(read) ? fmt::format("; '{}' reads it", Printable(read)) : ""));
      }
      fetches_.emplace_back(tensor);
      if (!fed.contains(tensor.edge())) nodes.push_back(tensor.node());
    }
    needed_ = Reach(nodes, fed);
    std::vector<std::string> unfed;
    for (const Node* node : Placeholders(*graph_))
      if (needed_.nodes.contains(node) && !fed.contains(node->output(0).edge()))
        unfed.push_back(fmt::format("{} {}{}", Printable(node->name()), Name(node->output(0).dtype()),
                                    node->output(0).shape().ToString()));
    if (!unfed.empty()) {
      std::vector<std::string> all;
      for (const GraphSummary::Item& item : summary_.inputs) all.push_back(ItemText(item));
      throw KeyError(fmt::format("the fetches need placeholders that nobody feeds: {}; the graph's placeholders are {}",
                                 Some(unfed, 20), Some(all, 20)));
    }
    for (const Node* v : needed_.variables) run_.variables.push_back(v->name());
  }

  std::string FinalTensor() const {
    std::vector<Tensor> fed;
    for (const runtime::Feed& feed : feeds_) fed.push_back(std::get<Tensor>(feed.target));
    std::vector<std::string> last;
    for (const Tensor& t : FinalTensors(*graph_, fed)) last.push_back(runtime::TensorName(t));
    if (last.size() == 1) return last.front();
    throw KeyError(fmt::format("'{}': name what to fetch; {}", path_,
                               last.empty() ? "the feeds lead to no tensor that nothing uses"
                                            : "tensors that the feeds lead to and nothing uses: " + Some(last, 20)));
  }

  void RequireFits(const std::string& name, const Tensor& target, const Array& value) {
    if (!target.shape().IsCompatibleWith(value.shape()))
      throw InvalidArgumentError(fmt::format("cannot feed '{}' with shape {}: it has shape {}", Printable(name),
                                             value.shape().ToString(), target.shape().ToString()));
    if (value.dtype() == target.dtype()) return;
    const auto order = [](DType d) { return d == DType::kBool ? 0 : IsInteger(d) ? 1 : IsFloating(d) ? 2 : 3; };
    const int from = order(value.dtype()), to = order(target.dtype());
    // tf: feeds are cast; here not where every fraction or sign would be lost without a word
    if (from == 3 || to == 3 || from > to)
      throw InvalidArgumentError(fmt::format("cannot feed '{}' with {}: it is {}", Printable(name), Name(value.dtype()),
                                             Name(target.dtype())));
    run_.notes.push_back(
        fmt::format("feed '{}' was cast from {} to {}", Printable(name), Name(value.dtype()), Name(target.dtype())));
  }

  void Initialize(Session& session) {
    if (!options_.init.empty()) {
      Progress("initialising");
      Node* init = graph_->FindNode(NodeName(options_.init));
      session.Run(init, feeds_);
      run_.notes.push_back(fmt::format("variables initialised by '{}'", Printable(options_.init)));
    }
    if (!options_.checkpoint.empty()) return Restore(session);
    if (!options_.init.empty() || needed_.variables.empty()) return;
    Progress("initialising");
    if (const std::size_t count = RunInitializers(session, meta_.variables, feeds_); count > 0)
      run_.notes.push_back(fmt::format("{} variables initialised by their own initialisers", count));
  }

  void Restore(Session& session) {
    Progress("reading the checkpoint");
    const std::string prefix = runtime::LoadCheckpoint(options_.checkpoint)->prefix();
    if (meta_.saver && graph_->FindNode(meta_.saver->restore_op_name)) {
      try {
        runtime::Saver(*graph_, *meta_.saver).Restore(&session, prefix);
        run_.notes.push_back(fmt::format("variables restored from '{}' by the graph's saver", Printable(prefix)));
        return;
      } catch (const NotFoundError&) {
        run_.notes.push_back(fmt::format("'{}' lacks keys that the graph's saver wants; restored by names of variables",
                                         Printable(prefix)));
      }
    }
    const NamedCheckpointSource source(prefix);
    std::vector<runtime::Variable> wanted, present;
    std::vector<std::string> missing;
    for (const runtime::Variable& v : meta_.variables) {
      if (std::ranges::find(needed_.variables, v.handle().node()) == needed_.variables.end()) continue;
      const std::string key = v.save_slice_info() ? v.save_slice_info()->full_name : v.op_name();
      wanted.push_back(v);
      if (const TensorInfo* info = FindKey(source, key)) {
        RequireFits(v, source, *info);
        present.push_back(v);
      } else {
        missing.push_back(key);
      }
    }
    // What the checkpoint lacks may keep the value that the operation `init` gave it.
    const std::vector<runtime::Variable>& restored = options_.init.empty() ? wanted : present;
    try {
      RestoreVariables(session, restored, prefix);
    } catch (const NotFoundError& error) {
      if (missing.empty()) throw;
      std::vector<std::string> known;
      for (const TensorInfo& info : source.tensors())
        known.push_back(info.variable.empty() ? info.name : info.variable);
      const std::vector<std::string> near = NearestNames(missing.front(), known, 3);
      throw NotFoundError(
          fmt::format("checkpoint '{}' has no value for {} of {} variables that the fetches need: {}{}", prefix,
                      missing.size(), wanted.size(), Some(missing, 10),
                      near.empty() ? "" : fmt::format("; near the first: '{}'", fmt::join(near, "', '"))));
    }
    run_.notes.push_back(fmt::format("{} variables restored from '{}' by name", restored.size(), Printable(prefix)));
  }
  static const TensorInfo* FindKey(const NamedCheckpointSource& source, const std::string& key) {
    if (const TensorInfo* info = source.Find(key)) return info;
    for (const TensorInfo& info : source.tensors())
      if (info.variable == key) return &info;
    return nullptr;
  }
  static void RequireFits(const runtime::Variable& v, const NamedCheckpointSource& source, const TensorInfo& info) {
    if (info.dtype != v.dtype())
      throw InvalidArgumentError(fmt::format("'{}': key '{}' is {}, variable '{}' {}", source.path(),
                                             Printable(info.name), Name(info.dtype), Printable(v.name()),
                                             Name(v.dtype())));
    const PartialShape whole = v.save_slice_info() ? PartialShape(v.save_slice_info()->full_shape) : v.shape();
    if (whole.has_rank() && !whole.IsCompatibleWith(PartialShape(info.shape)))
      throw InvalidArgumentError(fmt::format("'{}': key '{}' has shape {}, variable '{}' {}", source.path(),
                                             Printable(info.name), info.ShapeText(), Printable(v.name()),
                                             whole.ToString()));
  }

  void RequireInitialized(const Session& session) const {
    std::vector<std::string> without;
    for (const Node* v : needed_.variables)
      if (!session.VariableStorage(*v)->initialized()) without.push_back(Printable(v->name()));
    if (without.empty()) return;
    const std::string candidates =
        summary_.initializers.empty() ? "" : fmt::format(" (the graph has {})", Some(summary_.initializers, 3));
    throw FailedPreconditionError(fmt::format(
        "{} of {} variables that the fetches need have no value: {}; give a checkpoint, or the operation that "
        "initialises them{}",
        without.size(), needed_.variables.size(), Some(without, 10), candidates));
  }

  const std::string& path_;
  const GraphRunOptions& options_;
  GraphSummary summary_;
  std::unique_ptr<Graph> graph_;
  runtime::MetaGraph meta_;
  runtime::Fetch::List fetches_;
  std::vector<runtime::Feed> feeds_;
  std::vector<std::string> names_;  // of the fetches
  Needed needed_;
  GraphRun run_;
};
}  // namespace

GraphRun RunGraphFile(const std::string& path, const GraphRunOptions& options) { return Runner(path, options).Run(); }
}  // namespace equiv
