// runtime/session/plan.h - what a session does for one set of feeds and fetches. Private to runtime/session.
#pragma once
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/graph/graph.h"
#include "runtime/passes/passes.h"

namespace equiv::runtime {

struct Loop;

// One node in a plan: where its inputs come from and go. Values live in numbered slots.
struct Step {
  enum class Kind {
    kKernel,
    kConstant,  // a constant that a branch not taken takes with it
    kSwitch,
    kMerge,
    kForward,  // Enter, Exit, NextIteration, LoopCond: the value moves on
    kLoop,
  };
  Kind kind = Kind::kKernel;
  const Node* node = nullptr;
  Kernel* kernel = nullptr;
  std::vector<DType> output_dtypes = {};
  std::vector<int> inputs = {};        // slots
  std::vector<bool> last_use = {};     // the input's buffer is free after this step
  std::vector<bool> dereference = {};  // a reference whose value the op wants
  std::vector<int> outputs = {};       // slots, -1: nobody wants it
  std::vector<int> controls = {};      // marks of the steps it waits for; only in plans with dead values
  int mark = -1;                       // where it tells whether it ran
  std::shared_ptr<Loop> loop = {};
};

// A frame of v1 control flow, run as one step. tf: Enter, Merge, Switch, NextIteration, Exit of one frame_name
struct Loop {
  std::vector<Step> enter;  // once
  std::vector<int> once;    // slots of Enters that only the first iteration sees
  std::vector<Step> body;   // each iteration, the Exits among them
  std::vector<int> next;    // slots of NextIteration: the loop ends when all are dead
  std::vector<int> exits;   // slots of the Exits
};

struct Plan {
  std::vector<Step> steps;
  std::vector<std::pair<int, const Array*>> constants;  // slot, value
  std::vector<int> feeds;                               // slot of each feed
  std::vector<int> fetches;                             // slot of each fetched tensor
  int slots = 0, marks = 0;
  bool has_dead_values = false;  // a Switch or a loop: some steps do not run
};

// Prunes by fetch and orders the rest. Errors: InvalidArgumentError for an unfed placeholder, ValueError for a tensor
// of another graph.
std::unique_ptr<Plan> MakePlan(const Graph& graph, const std::vector<Tensor>& fetches,
                               const std::vector<Node*>& operations, const std::vector<Tensor>& feeds,
                               const PassOptions& passes, const std::function<Kernel*(const Node*)>& kernel_of);
// ValueError unless the node is one of the graph's.
void RequireMember(const Graph& graph, const Node* node);

}  // namespace equiv::runtime
