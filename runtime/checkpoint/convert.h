// runtime/checkpoint/convert.h - checkpoints from one way of naming to the other, a tensor at a time.
#pragma once
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/base/array.h"
#include "runtime/checkpoint/checkpoint_reader.h"
#include "runtime/checkpoint/object_graph.h"

namespace equiv::runtime {

// The migration guide's function: the tensors of `checkpoint` (a prefix, or a folder) as Checkpoint(vars={name:
// variable}) saves them the first time. Writes `output_prefix`-1 and the folder's state file, and returns that path.
// The bytes are TensorFlow's. Errors: io::BundleReader, io::BundleWriter; InvalidArgumentError for a name that is not
// UTF-8.
std::string ConvertTf1ToTf2(const std::string& checkpoint, const std::string& output_prefix);
// The migration guide's function: the tensors of a Checkpoint(var_list={name: variable}) by their names, as Saver saves
// them. Writes `output_prefix` and the folder's state file, and returns `output_prefix`. Names are unescaped in full,
// where the guide's code leaves ".." for a dot. A checkpoint without `var_list` is written with the names of
// NamesOfKeys. ValueError when it holds no values, or is name-based already.
std::string ConvertTf2ToTf1(const std::string& checkpoint, const std::string& output_prefix);

// The object graph and the counter that Checkpoint.save adds: no values of the model.
bool IsBookkeepingKey(std::string_view key);
// Names for the values of an object-based checkpoint, by key; bookkeeping has none. The first of these that no other
// value has:
//   the key within a dictionary `vars` or `var_list` of the root, what the guide's functions save;
//   the variable's full name in the object graph;
//   the path through the objects, "net/kernel", "net/kernel/optimizer/m" for a slot;
//   the key itself.
std::map<std::string, std::string> NamesOfKeys(const ObjectGraph& graph, const std::vector<std::string>& keys);

// What a checkpoint is written from: values are asked for when their turn comes.
struct ValueToSave {
  std::string name = {};
  std::function<Array()> read = {};
};
// What becomes of the state file `checkpoint` of the folder.
enum class StateFile { kReplace, kKeep };
// What Checkpoint(vars={name: variable}).save writes the first time, in the values' order, but under `prefix` itself.
// Errors: as ConvertTf1ToTf2.
void WriteObjectBased(const std::string& prefix, std::span<const ValueToSave> values, StateFile state);
// What Saver.save writes. ValueError: the folder does not exist.
void WriteNameBased(const std::string& prefix, std::vector<ValueToSave> values, StateFile state);

}  // namespace equiv::runtime
