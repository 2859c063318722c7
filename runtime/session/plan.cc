#include "runtime/session/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "kernels/base/error.h"
#include "kernels/base/kernel.h"

namespace equiv::runtime {
namespace {

// v1 control flow by op; a Ref form does the same with references.
enum class Flow { kNone, kSwitch, kMerge, kEnter, kExit, kNext, kLoopCond };
Flow FlowOf(const Node& node) {
  std::string_view op = node.op();
  if (op.starts_with("Ref")) op.remove_prefix(3);
  if (op == "Switch") return Flow::kSwitch;
  if (op == "Merge") return Flow::kMerge;
  if (op == "Enter") return Flow::kEnter;
  if (op == "Exit") return Flow::kExit;
  if (op == "NextIteration") return Flow::kNext;
  if (op == "LoopCond") return Flow::kLoopCond;
  return Flow::kNone;
}

// A frame of a while loop: opened by its Enters within the frame around it.
struct Frame {
  int parent = -1, depth = 0;
};

class Planner {
 public:
  Planner(const Graph& graph, const PassOptions& passes, const std::function<Kernel*(const Node*)>& kernel_of)
      : graph_(graph), passes_(passes), kernel_of_(kernel_of), plan_(std::make_unique<Plan>()) {}

  std::unique_ptr<Plan> Make(const std::vector<Tensor>& fetches, const std::vector<Node*>& operations,
                             const std::vector<Tensor>& feeds) {
    for (const Tensor& t : feeds) {
      fed_.insert(t.edge());
      if (t.node()->num_outputs() == 1) replaced_.insert(t.node());
    }
    FindWanted(fetches, operations);
    for (const Tensor& t : feeds) plan_->feeds.push_back(Slot(t.edge()));
    if (loops_) {
      AssignFrames();
      plan_->steps = Order(0);
    } else {
      // Creation order is a topological order: a node's inputs and control inputs exist before it.
      for (const Node* node : wanted_) AddStep(node, plan_->steps);
    }
    for (const Tensor& t : fetches) plan_->fetches.push_back(Slot(t.edge()));
    FindLastUses();
    return std::move(plan_);
  }

 private:
  void FindWanted(const std::vector<Tensor>& fetches, const std::vector<Node*>& operations) {
    std::vector<bool> wanted(graph_.nodes().size(), false);
    std::vector<const Node*> stack;
    const auto want = [&](const Node* node) {
      RequireMember(graph_, node);
      if (wanted[static_cast<std::size_t>(node->id())]) return;
      wanted[static_cast<std::size_t>(node->id())] = true;
      stack.push_back(node);
    };
    for (const Tensor& t : fetches)
      if (!fed_.contains(t.edge()))
        want(t.node());
      else
        RequireMember(graph_, t.node());
    for (const Node* n : operations)
      if (!replaced_.contains(n)) want(n);
    while (!stack.empty()) {
      const Node* node = stack.back();
      stack.pop_back();
      for (const Edge* e : node->inputs())
        if (!fed_.contains(e)) want(e->node);
      for (const Node* n : node->control_inputs())
        if (!replaced_.contains(n)) want(n);
    }
    for (std::size_t id = 0; id < wanted.size(); ++id) {
      if (!wanted[id]) continue;
      const Node* node = graph_.nodes()[id].get();
      wanted_.push_back(node);
      const Flow flow = FlowOf(*node);
      plan_->has_dead_values |= flow != Flow::kNone;
      loops_ |= flow == Flow::kEnter;
    }
  }

  int Slot(const Edge* e) {
    auto [it, fresh] = slot_of_.try_emplace(e, plan_->slots);
    if (fresh) ++plan_->slots;
    return it->second;
  }
  int Mark(const Node* node) {
    auto [it, fresh] = mark_of_.try_emplace(node, plan_->marks);
    if (fresh) ++plan_->marks;
    return it->second;
  }

  void AddStep(const Node* node, std::vector<Step>& steps) {
    const bool dies = plan_->has_dead_values && !node->control_inputs().empty();
    if (node->op() == "Const" && !dies) {
      plan_->constants.emplace_back(Slot(&node->edge(0)), std::get_if<Array>(node->attrs().Find("value")));
      return;
    }
    if (node->op() == "Placeholder")
      throw InvalidArgumentError(
          fmt::format("You must feed a value for placeholder tensor '{}' with dtype {}{}", node->name(),
                      DataTypeString(node->edge(0).dtype),
                      node->edge(0).shape.has_rank() ? " and shape " + node->edge(0).shape.ToString() : ""));
    Step step;
    step.node = node;
    switch (FlowOf(*node)) {
      case Flow::kSwitch:
        step.kind = Step::Kind::kSwitch;
        break;
      case Flow::kMerge:
        step.kind = Step::Kind::kMerge;
        break;
      case Flow::kNone:
        step.kind = node->op() == "Const" ? Step::Kind::kConstant : Step::Kind::kKernel;
        break;
      default:
        step.kind = Step::Kind::kForward;
    }
    if (step.kind == Step::Kind::kKernel) step.kernel = kernel_of_(node);
    const std::vector<const Edge*> inputs = RewrittenInputs(*node, passes_);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      step.inputs.push_back(Slot(inputs[i]));
      step.dereference.push_back(inputs[i]->is_ref && !fed_.contains(inputs[i]) &&
                                 !InputArg(node->def(), node->attrs(), i)->is_ref);
    }
    for (int i = 0; i < node->num_outputs(); ++i) {
      step.output_dtypes.push_back(node->edge(i).dtype);
      step.outputs.push_back(fed_.contains(&node->edge(i)) ? -1 : Slot(&node->edge(i)));
    }
    if (plan_->has_dead_values) {
      step.mark = Mark(node);
      for (const Node* n : node->control_inputs())
        if (!replaced_.contains(n) && (n->op() != "Const" || !n->control_inputs().empty()))
          step.controls.push_back(Mark(n));
    }
    steps.push_back(std::move(step));
  }

  // Each node is in the frame of its inputs; an Enter is in the frame that it opens, an Exit in the one around.
  void AssignFrames() {
    frames_.push_back({});
    std::map<std::pair<int, std::string>, int> by_name;
    for (const Node* node : wanted_) {
      int frame = 0;
      const auto inherit = [&](const Node* from) {
        const auto it = frame_of_.find(from);
        if (it == frame_of_.end()) return;  // behind a back edge
        int f = it->second;
        if (FlowOf(*from) == Flow::kExit) f = frames_[static_cast<std::size_t>(f)].parent;
        if (frames_[static_cast<std::size_t>(f)].depth > frames_[static_cast<std::size_t>(frame)].depth) frame = f;
      };
      for (const Edge* e : node->inputs())
        if (!fed_.contains(e)) inherit(e->node);
      for (const Node* n : node->control_inputs())
        if (!replaced_.contains(n)) inherit(n);
      if (FlowOf(*node) == Flow::kEnter) {
        const auto [it, fresh] = by_name.try_emplace({frame, node->attrs().Get<std::string>("frame_name")},
                                                     static_cast<int>(frames_.size()));
        if (fresh) frames_.push_back({frame, frames_[static_cast<std::size_t>(frame)].depth + 1});
        frame = it->second;
      }
      if (FlowOf(*node) == Flow::kExit && frame == 0)
        throw InvalidArgumentError(fmt::format("[{}] '{}': an Exit outside of a loop", node->op(), node->name()));
      frame_of_.emplace(node, frame);
    }
  }

  // The unit of work in `frame` that the node belongs to: itself, or the loop (a child frame) around it; -1: elsewhere.
  struct Unit {
    const Node* node = nullptr;
    int child = -1;
    friend auto operator<=>(const Unit&, const Unit&) = default;
  };
  std::optional<Unit> UnitIn(int frame, const Node* node) const {
    int f = frame_of_.at(node), below = -1;
    while (f != frame) {
      if (f < 0) return std::nullopt;
      below = f;
      f = frames_[static_cast<std::size_t>(f)].parent;
    }
    return below < 0 ? Unit{node, -1} : Unit{nullptr, below};
  }

  // The steps of one frame: nodes by order of creation as far as their inputs allow, an inner loop as one step.
  std::vector<Step> Order(int frame) {
    std::map<Unit, int> first;               // unit -> its lowest node number
    std::map<Unit, std::vector<Unit>> then;  // unit -> units that wait for it
    std::map<Unit, int> waiting;
    const auto wait = [&](const Unit& on, const Unit& unit) {
      if (on == unit) return;
      then[on].push_back(unit);
      ++waiting[unit];
    };
    for (const Node* node : wanted_) {
      const std::optional<Unit> unit = UnitIn(frame, node);
      if (!unit) continue;
      first.try_emplace(*unit, node->id());
      if (FlowOf(*node) == Flow::kEnter && frame_of_.at(node) == frame) continue;  // its input is outside
      for (const Edge* e : node->inputs()) {
        if (fed_.contains(e) || FlowOf(*e->node) == Flow::kNext) continue;
        if (const auto on = UnitIn(frame, e->node)) wait(*on, *unit);
      }
      for (const Node* n : node->control_inputs())
        if (!replaced_.contains(n))
          if (const auto on = UnitIn(frame, n)) wait(*on, *unit);
    }
    using Ready = std::pair<int, Unit>;
    std::priority_queue<Ready, std::vector<Ready>, std::greater<>> ready;
    for (const auto& [unit, id] : first)
      if (!waiting.contains(unit)) ready.emplace(id, unit);
    std::vector<Step> steps;
    std::size_t done = 0;
    while (!ready.empty()) {
      const Unit unit = ready.top().second;
      ready.pop();
      ++done;
      if (unit.node)
        AddStep(unit.node, steps);
      else
        steps.push_back(MakeLoop(unit.child));
      for (const Unit& next : then[unit])
        if (--waiting[next] == 0) ready.emplace(first.at(next), next);
    }
    if (done != first.size())
      throw InvalidArgumentError("the graph has a cycle that is no loop of Enter, Merge, Switch and NextIteration");
    return steps;
  }

  Step MakeLoop(int frame) {
    auto loop = std::make_shared<Loop>();
    for (Step& step : Order(frame)) {
      const Flow flow = step.node ? FlowOf(*step.node) : Flow::kNone;
      if (step.kind == Step::Kind::kLoop || flow != Flow::kEnter) {
        if (flow == Flow::kNext) loop->next.push_back(step.outputs.at(0));
        if (flow == Flow::kExit) loop->exits.push_back(step.outputs.at(0));
        loop->body.push_back(std::move(step));
        continue;
      }
      if (!step.node->attrs().Get<bool>("is_constant")) loop->once.push_back(step.outputs.at(0));
      loop->enter.push_back(std::move(step));
    }
    Step step;
    step.kind = Step::Kind::kLoop;
    step.loop = std::move(loop);
    return step;
  }

  // Walks backwards: the first time a slot is met is its last use. Loops read slots again, so nothing is freed in them.
  void FindLastUses() {
    std::vector<bool> live(static_cast<std::size_t>(plan_->slots), false);
    for (int s : plan_->fetches) live[static_cast<std::size_t>(s)] = true;
    const std::function<void(std::vector<Step>&)> keep = [&](std::vector<Step>& steps) {
      for (Step& step : steps) {
        step.last_use.assign(step.inputs.size(), false);
        for (const int s : step.inputs) live[static_cast<std::size_t>(s)] = true;
        if (step.loop) {
          keep(step.loop->enter);
          keep(step.loop->body);
        }
      }
    };
    for (Step& step : plan_->steps)
      if (step.loop) {
        keep(step.loop->enter);
        keep(step.loop->body);
      }
    for (std::size_t i = plan_->steps.size(); i-- > 0;) {
      Step& step = plan_->steps[i];
      if (step.loop) continue;
      for (int& s : step.outputs)
        if (s >= 0 && !live[static_cast<std::size_t>(s)]) s = -1;
      step.last_use.assign(step.inputs.size(), false);
      for (std::size_t k = step.inputs.size(); k-- > 0;) {
        const auto s = static_cast<std::size_t>(step.inputs[k]);
        step.last_use[k] = !live[s];
        live[s] = true;
      }
    }
  }

  const Graph& graph_;
  const PassOptions& passes_;
  const std::function<Kernel*(const Node*)>& kernel_of_;
  std::unique_ptr<Plan> plan_;
  std::vector<const Node*> wanted_;  // in order of creation
  bool loops_ = false;
  std::unordered_set<const Edge*> fed_;
  std::unordered_set<const Node*> replaced_;  // by a feed of their only output
  std::unordered_map<const Edge*, int> slot_of_;
  std::unordered_map<const Node*, int> mark_of_, frame_of_;
  std::vector<Frame> frames_;
};
}  // namespace

void RequireMember(const Graph& graph, const Node* node) {
  const auto& nodes = graph.nodes();
  if (static_cast<std::size_t>(node->id()) >= nodes.size() || nodes[static_cast<std::size_t>(node->id())].get() != node)
    throw ValueError(
        fmt::format("'{}' cannot be interpreted as a Tensor. (It is not an element of this graph.)", node->name()));
}

std::unique_ptr<Plan> MakePlan(const Graph& graph, const std::vector<Tensor>& fetches,
                               const std::vector<Node*>& operations, const std::vector<Tensor>& feeds,
                               const PassOptions& passes, const std::function<Kernel*(const Node*)>& kernel_of) {
  return Planner(graph, passes, kernel_of).Make(fetches, operations, feeds);
}
}  // namespace equiv::runtime
