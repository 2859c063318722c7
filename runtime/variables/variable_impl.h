// runtime/variables/variable_impl.h - what a Variable handle points to. Private to runtime/variables.
#pragma once
#include <memory>
#include <optional>
#include <source_location>
#include <string>

#include "runtime/variables/variables.h"

namespace equiv::runtime {

struct Variable::Impl {
  std::string op_name;
  DType dtype = DType::kInvalid;
  PartialShape shape;
  bool trainable = true, reference = false;
  std::source_location created_at;
  Tensor handle;
  std::optional<SaveSliceInfo> save_slice_info;
  std::int64_t restored = -1;  // number of the last restoration that gave it a value. tf: _update_uid
  // Graph variables only.
  Graph* graph = nullptr;
  Tensor snapshot;  // a/w/Read/ReadVariableOp:0
  Node* initializer = nullptr;
  // Eager variables only: the variable owns its storage, so names may repeat.
  std::shared_ptr<equiv::Variable> storage;
};

namespace internal {
// Runs the open creators, innermost first, and the constructor last (rule D2).
Variable Create(const VariableCreationArgs& args);
}  // namespace internal

}  // namespace equiv::runtime
