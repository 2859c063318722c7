// runtime/core/hooks.h - what observers may watch. The runtime owns these interfaces; tools and the harness listen.
#pragma once
#include <cstdint>
#include <source_location>
#include <string>
#include <vector>

#include "kernels/base/op_def.h"

namespace equiv::runtime {

class Node;

// One execution of one op, in either executor.
struct OpEvent {
  const OpDef& def;
  const AttrMap& attrs;
  std::string name;       // graph: node name; eager: name scope + "/" + op type (not unique)
  const Node* node;       // null in eager
  std::int64_t sequence;  // graph: node id (order of creation); eager: running number of the op in the process
  std::string owner;      // see Context::owner
  std::source_location call_site;
  const std::vector<Array>& inputs;  // empty arrays where a kernel took an input's buffer over (see keep_inputs)
  std::vector<Array>& outputs;       // may be replaced by the observer (ablation with fixed values)
};

class Observer {
 public:
  virtual ~Observer() = default;
  // True: kernels must not reuse input buffers, so OnOpDone sees every input.
  virtual bool keep_inputs() const { return false; }
  virtual void OnOpDone(OpEvent& event) = 0;
};

// Observers of the current thread (executors run kernels from the calling thread). Costs one load when nobody listens.
class ScopedObserver {
 public:
  explicit ScopedObserver(Observer& observer);
  ~ScopedObserver();
  ScopedObserver(const ScopedObserver&) = delete;
  ScopedObserver& operator=(const ScopedObserver&) = delete;
};
// The listening observers of this thread, outermost first; null when none.
const std::vector<Observer*>* ActiveObservers();

}  // namespace equiv::runtime
