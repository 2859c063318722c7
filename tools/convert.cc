// equiv convert: the same tensors in a file of another kind.
#include "runtime/checkpoint/convert.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include "equiv/compare/npz.h"
#include "equiv/compare/printable.h"
#include "equiv/compare/safetensors.h"
#include "equiv/harness/open_source.h"
#include "kernels/base/error.h"
#include "kernels/io/tensor_bundle.h"
#include "runtime/checkpoint/checkpoint_reader.h"
#include "tools/names_filter.h"
#include "tools/tensor_json.h"
#include "tools/verb.h"

namespace equiv::tools {
namespace {
namespace fs = std::filesystem;

struct Flags {
  std::string in, out, to;
  std::vector<std::string> keys, ignore;
  bool overwrite = false, raw_keys = false;
};
constexpr const char* kNames = "name-based";
constexpr const char* kObjects = "object-based";

// The kind to write: as asked, or as the file's name says.
std::string Target(const Flags& flags) {
  const std::string by_name = flags.out.ends_with(".npz")           ? "npz"
                              : flags.out.ends_with(".safetensors") ? "safetensors"
                                                                    : "";
  if (!flags.to.empty() && !by_name.empty() && flags.to != by_name)
    throw UsageError(fmt::format("'{}' is to be {}, but its name says {}", flags.out, flags.to, by_name));
  const std::string target = flags.to.empty() ? by_name : flags.to;
  if (target.empty())
    throw UsageError(
        fmt::format("'{}' does not tell what to write: give --to name-based or --to object-based for a checkpoint of "
                    "that prefix, or a name that ends in .npz or .safetensors",
                    flags.out));
  if (flags.out.empty() || flags.out.ends_with('/'))
    throw UsageError(fmt::format("'{}' is no file to write: give a name such as '{}model'", flags.out, flags.out));
  return target;
}

// The files that will be there afterwards.
std::vector<std::string> FilesToWrite(const std::string& target, const std::string& out) {
  if (target != kNames && target != kObjects) return {out};
  return {io::IndexFileName(out), io::DataFileName(out, 0, 1)};
}

fs::path FolderOf(const std::string& out) {
  const fs::path folder = fs::path(out).parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

void RequireFree(const TensorSource& source, const std::vector<std::string>& files, bool overwrite) {
  for (const std::string& file : files) {
    std::error_code ignored;
    if (!fs::exists(file, ignored)) continue;
    if (fs::is_directory(file, ignored)) throw UsageError(fmt::format("'{}' is a folder", file));
    for (const std::string& in : source.files())
      if (fs::equivalent(file, in, ignored))
        throw UsageError(fmt::format("'{}' is read from and cannot be written to: name another output", file));
    if (!overwrite) throw UsageError(fmt::format("'{}' is there already; --overwrite replaces it", file));
  }
}

struct Chosen {
  const TensorInfo* info;
  std::string name;  // in the output
};

// In the order in which the guide's function meets them: that of TensorFlow's listing.
std::vector<const TensorInfo*> InOrder(const TensorSource& source, bool map_order) {
  std::vector<const TensorInfo*> infos;
  if (map_order && source.kind() == "name-based checkpoint") {
    for (const std::string& key : runtime::CheckpointReader(source.path()).KeysInMapOrder())
      infos.push_back(source.Find(key));
  } else {
    for (const TensorInfo& info : source.tensors()) infos.push_back(&info);
  }
  return infos;
}

std::vector<Chosen> Choose(const TensorSource& source, const Flags& flags, const std::string& target) {
  const NamesFilter keys(flags.keys), ignore(flags.ignore);
  keys.RequireUse({&source}, "--key");
  ignore.RequireUse({&source}, "--ignore");
  const bool raw = flags.raw_keys;
  std::vector<Chosen> chosen;
  for (const TensorInfo* info : InOrder(source, target == kObjects)) {
    if ((!keys.empty() && !keys.Matches(*info)) || ignore.Matches(*info)) continue;
    // The object graph describes keys that the output does not have.
    if (info->bookkeeping && (!raw || info->dtype == DType::kString)) continue;
    chosen.push_back({info, raw || info->variable.empty() ? info->name : info->variable});
  }
  return chosen;
}

int Run(const Flags& flags) {
  const std::string target = Target(flags);
  if (flags.raw_keys && (target == kNames || target == kObjects))
    throw UsageError("--raw-keys is for .npz and .safetensors: a checkpoint's keys follow from its names");
  Progress progress;
  progress.Show("opening " + Printable(flags.in));
  const std::unique_ptr<TensorSource> source = OpenTensorSource(flags.in);
  if (target == kObjects && source->kind() == "object-based checkpoint")
    throw UsageError(fmt::format("'{}' is object-based already; its files can be copied as they are", flags.in));
  RequireFree(*source, FilesToWrite(target, flags.out), flags.overwrite);
  const fs::path folder = FolderOf(flags.out);
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    throw UsageError(fmt::format("cannot write '{}': there is no folder '{}'", flags.out, folder.string()));
  const std::vector<Chosen> chosen = Choose(*source, flags, target);
  if (chosen.empty()) throw UsageError(fmt::format("no tensor of '{}' is left to convert", flags.in));

  std::size_t done = 0, renamed = 0;
  std::int64_t bytes = 0;
  const auto next = [&](const std::string& name) {
    progress.Show(fmt::format("{} of {}: {}", ++done, chosen.size(), Printable(name)));
  };
  for (const Chosen& c : chosen) {
    renamed += c.name != c.info->name;
    bytes += c.info->bytes;
  }
  const bool checkpoint = target == kNames || target == kObjects;
  // Programs resume from the checkpoint that the state file names: one that is there is not touched.
  const bool has_state = fs::exists(folder / "checkpoint", ignored);
  if (checkpoint) {
    const auto state = has_state ? runtime::StateFile::kKeep : runtime::StateFile::kReplace;
    std::vector<runtime::ValueToSave> values;
    for (const Chosen& c : chosen)
      values.push_back({c.name, [&source, &next, info = c.info] {
                          next(info->name);
                          return source->Read(*info);
                        }});
    if (target == kNames)
      runtime::WriteNameBased(flags.out, std::move(values), state);
    else
      runtime::WriteObjectBased(flags.out, values, state);
  } else {
    std::vector<LazyTensor> tensors;
    for (const Chosen& c : chosen)
      tensors.push_back(
          {c.name, c.info->dtype, c.info->shape, [&source, info = c.info] { return source->Read(*info); }});
    if (target == "npz")
      WriteNpz(flags.out, tensors, next);
    else
      WriteSafetensors(flags.out, tensors, next);
  }
  progress.Clear();
  fmt::print("wrote {} ({}): {} tensor{}, {}\n", Printable(flags.out), checkpoint ? target + " checkpoint" : target,
             chosen.size(), chosen.size() == 1 ? "" : "s", BytesText(bytes));
  if (checkpoint && has_state)
    fmt::print("the state file '{}' was there and names what it named before\n",
               Printable((folder / "checkpoint").lexically_normal().string()));
  if (renamed > 0) fmt::print("{} of them under the names of their variables\n", renamed);
  std::set<const TensorInfo*> converted;
  for (const Chosen& c : chosen) converted.insert(c.info);
  std::string names;
  std::size_t left = 0;
  for (const TensorInfo& info : source->tensors()) {
    if (converted.contains(&info)) continue;
    if (++left <= 5) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", Printable(info.name));
  }
  if (left > 0) fmt::print("left out {}: {}{}\n", left, names, left > 5 ? ", ..." : "");
  return kEquivalent;
}
}  // namespace

std::function<int()> AddConvert(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "convert", "Writes the tensors of a checkpoint, .npz, .safetensors or recording as another of these.");
  auto flags = std::make_shared<Flags>();
  command->add_option("in", flags->in, "a checkpoint's prefix, a folder with its latest, or a file")->required();
  command->add_option("out", flags->out, "what to write: a file, or a checkpoint's prefix")->required();
  command->add_option("--to", flags->to, "kind of the output; a name that ends in .npz or .safetensors says it too")
      ->check(CLI::IsMember({kNames, kObjects, "npz", "safetensors"}));
  command->add_option("--key", flags->keys, fmt::format("only tensors of this name: {}", kPatternHelp))
      ->allow_extra_args(false);
  command->add_option("--ignore", flags->ignore, fmt::format("all but tensors of this name: {}", kPatternHelp))
      ->allow_extra_args(false);
  command->add_flag("--raw-keys", flags->raw_keys,
                    "from an object-based checkpoint: its keys in the place of its variables' names");
  command->add_flag("--overwrite", flags->overwrite, "replace what has the output's name");
  return [flags] {
    try {
      return Run(*flags);
    } catch (const UnimplementedError& error) {
      throw UnimplementedError(fmt::format("{} (--ignore leaves a tensor out)", error.what()));
    }
  };
}
}  // namespace equiv::tools
