// equiv/harness/recording_files.h - recordings on disk: what a run left behind, to be compared with later runs.
//
// A folder with recording.json, everything but the arrays, and arrays.npz: members variables/NAME, outputs/NAME,
// losses/NUMBER, total_loss, and of the request inputs/NUMBER and forced/NAME; see docs/tools.md.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "equiv/compare/tensor_source.h"
#include "equiv/harness/recording.h"
#include "equiv/harness/side.h"

namespace equiv {

inline constexpr const char* kRecordingFile = "recording.json";

struct StoredRecording {
  std::string side;    // the name of the side that ran
  RunRequest request;  // what it was asked; without progress
  Recording recording;
  // By which another checkpoint of the same keys and values is known as the one that the request started from; filled
  // when the recording is saved.
  std::optional<std::uint64_t> checkpoint_checksum = std::nullopt;
};

// Makes the folder, or replaces the recording in it; recording.json appears last. Errors: io::OutputFile, WriteNpz (an
// array that .npz cannot hold is named), io::BundleReader for the request's checkpoint, which has to be there still.
void SaveRecording(const std::string& folder, const StoredRecording& stored);
// NotFoundError: no recording there. DataLossError naming file and field: damage, or files of two recordings.
StoredRecording LoadRecording(const std::string& folder);

// A side that answers with a recording. It does not run anything: InvalidArgumentError says what a request asks that
// was not recorded (other inputs, training, random mode, forced values or checkpoint; writing a checkpoint). Backend,
// threads and passes are how a run was done, not what was asked: the recording's environment names them. A request that
// only builds (step 2) is answered by any recording of the same inputs.
SidePtr FromRecording(const std::string& folder);

// Variables (by their names without ":0" too), outputs and losses of a recording as named tensors.
std::unique_ptr<TensorSource> OpenRecording(const std::string& folder);

}  // namespace equiv
