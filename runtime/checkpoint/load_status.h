// runtime/checkpoint/load_status.h - the kinds of LoadStatus. Private to runtime/checkpoint.
#pragma once
#include <memory>
#include <string>

#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/restore.h"

namespace equiv::runtime::internal {

// tf: CheckpointLoadStatus
std::shared_ptr<LoadStatus> MakeLoadStatus(const GraphView& view, std::shared_ptr<RestoreCoordinator> coordinator);
// tf: InitializationOnlyStatus
std::shared_ptr<LoadStatus> MakeInitializationOnlyStatus(const GraphView& view);
// Restores by names (eagerly: now) and warns once. tf: NameBasedSaverStatus
std::shared_ptr<LoadStatus> RestoreByName(const GraphView& view, std::shared_ptr<CheckpointReader> reader, bool eager);
// Graphs: assigns what was found, now and whenever more is found later. UnimplementedError for a name-based checkpoint.
// tf: streaming_restore
void StreamingRestore(LoadStatus& status, Session& session);
// A variable that a name-based checkpoint need not have.
void OptionallyRestored(LoadStatus& status, const Variable& variable);

}  // namespace equiv::runtime::internal
