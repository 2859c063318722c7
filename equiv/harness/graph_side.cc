#include "equiv/harness/graph_side.h"

namespace equiv {

Array VariableValue(const runtime::Session& session, const runtime::Variable& variable) {
  const std::shared_ptr<Variable> storage = session.VariableStorage(*variable.handle().node());
  return storage->initialized() ? storage->Read(variable.op_name()) : Array();
}

}  // namespace equiv
