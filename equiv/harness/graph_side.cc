#include "equiv/harness/graph_side.h"

namespace equiv {

Array VariableValue(const runtime::Session& session, const runtime::Variable& variable) {
  // tf: VarHandleOp: the resource is called by shared_name, else by the node
  const runtime::Node& node = *variable.handle().node();
  const std::string& shared = node.attrs().Get<std::string>("shared_name");
  const auto storage = session.resources().Find(shared.empty() ? node.name() : shared);
  return storage && storage->initialized() ? storage->Read(node.name()) : Array();
}

}  // namespace equiv
