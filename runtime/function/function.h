// runtime/function/function.h - functions traced once per signature. tf: tf.function
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/graph/graph.h"
#include "runtime/session/session.h"

namespace equiv::runtime {

// The body is run in a graph of its own, once per signature (dtypes and shapes of the inputs, and `key`), and that
// graph is what later calls run: side effects of C++ code happen while tracing only. Variable scopes and stores are
// those of the caller (rule B13); variables are made outside the trace, and only in the very first one, after which the
// body is traced a second time (shim.md S9).
class Function {
 public:
  using Body = std::function<std::vector<Tensor>(const std::vector<Tensor>& inputs)>;
  explicit Function(std::string name = "function");
  ~Function();
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;

  // Runs `body` through its trace for these inputs. Called while a graph is current, it
  // adds one call op.
  // ValueError when a later trace makes a variable.
  std::vector<Tensor> Call(const std::vector<Tensor>& inputs, const Body& body, const std::string& key = {});
  int traces() const { return traces_; }

 private:
  struct Trace;
  std::shared_ptr<Trace> MakeTrace(const std::vector<Tensor>& inputs, const Body& body, bool may_create, int& created);
  std::vector<Tensor> Run(Trace& trace, const std::vector<Tensor>& inputs);
  std::vector<Tensor> AddCall(const std::shared_ptr<Trace>& trace, const std::vector<Tensor>& inputs);
  std::string name_;
  std::map<std::string, std::shared_ptr<Trace>> traces_by_signature_;
  int traces_ = 0;
};

}  // namespace equiv::runtime
