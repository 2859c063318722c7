// runtime/checkpoint/saveable.h - what a Saver stores under which key. Private to runtime/checkpoint.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "kernels/io/tensor_bundle.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/session/session.h"

namespace equiv::runtime::internal {

// One tensor of a checkpoint: a variable, a part of one, or a constant.
struct SaveSpec {
  std::string key;
  std::string slice;  // "" or as SaveSliceInfo::Spec has it
  Variable variable;
  Tensor constant = {};  // graphs: instead of a variable; written, never restored
};

// Ascending by key; the parts of a partitioned variable in their order. tf: op_list_to_dict, validate_and_slice_inputs
std::vector<SaveSpec> SpecsOf(const Saver::VarList& variables, bool eager);
std::vector<SaveSpec> SpecsOf(const Saver::VarDict& variables);
// Reads values of eager variables and writes them; FailedPreconditionError names one that is not initialised.
void WriteEagerly(const std::vector<SaveSpec>& specs, const std::string& prefix);
struct AssignOptions {
  Session* session = nullptr;  // where the values of variables of a graph are
  bool reshape = false;
  bool tensor_names = false;  // messages say "a:0", not "a"
};
// Reads all values first, then assigns: an error changes nothing. NotFoundError: a key; InvalidArgumentError: a dtype;
// ValueError: a shape.
void AssignFrom(const io::BundleReader& reader, const std::vector<SaveSpec>& specs, const AssignOptions& options = {});
// Where the value of a variable is. RuntimeError for a variable of a graph without a session.
std::shared_ptr<equiv::Variable> StorageOf(const Variable& variable, Session* session);
// The specs under the keys that an object-based checkpoint has for their names. NotFoundError lists names that it
// lacks.
std::vector<SaveSpec> SpecsUnderKeys(const std::vector<SaveSpec>& specs,
                                     const std::vector<std::pair<std::string, std::string>>& keys);

}  // namespace equiv::runtime::internal
