// kernels/ops/checkpoint.cc - ops that save and restore tensors in files. The format is kernels/io/tensor_bundle.h's.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "kernels/base/op_registry.h"
#include "kernels/io/tensor_bundle.h"

namespace equiv::ops {
namespace {
namespace fs = std::filesystem;

const std::string& Text(const KernelContext& ctx, int i, const char* what) {
  if (ctx.input(i).num_elements() != 1)
    throw InvalidArgumentError(fmt::format("{}{} should have exactly one element, got shape {}", ctx.Where(), what,
                                           ctx.input(i).shape().ToString()));
  return ctx.input(i).strings().front();
}
// Names and slices of `count` tensors.
void CheckLists(const KernelContext& ctx, std::size_t count) {
  for (const int i : {1, 2})
    if (ctx.input(i).rank() != 1 || ctx.input(i).strings().size() != count)
      throw InvalidArgumentError(fmt::format("{}expected {} {} for as many tensors, got shape {}", ctx.Where(), count,
                                             i == 1 ? "names" : "shapes and slices", ctx.input(i).shape().ToString()));
}
// Adds node and op to what a file or a slice specification says.
template <class Body>
void AtNode(const KernelContext& ctx, Body body) {
  try {
    body();
  } catch (const Error& e) {
    e.Raise(ctx.Where() + e.what());
  }
}

void SaveV2(KernelContext& ctx) {
  constexpr int kFirst = 3;
  const std::string& prefix = Text(ctx, 0, "prefix");
  CheckLists(ctx, static_cast<std::size_t>(ctx.num_inputs() - kFirst));
  AtNode(ctx, [&] {
    // tf: BundleWriter makes the folder itself, not the ones above it
    std::error_code ignored;
    if (const fs::path folder = fs::path(prefix).parent_path(); !folder.empty()) fs::create_directory(folder, ignored);
    io::BundleWriter writer(prefix);
    for (int i = kFirst; i < ctx.num_inputs(); ++i) {
      const auto k = static_cast<std::size_t>(i - kFirst);
      const std::string &name = ctx.input(1).strings()[k], &spec = ctx.input(2).strings()[k];
      const io::ShapeAndSlice part = io::ParseShapeAndSlice(spec);
      if (part.whole)
        writer.Add(name, ctx.input(i));
      else
        writer.AddSlice(name, part.full_shape, part.slice, ctx.input(i));
    }
    writer.Finish();
  });
}

void RestoreV2(KernelContext& ctx) {
  const std::string& prefix = Text(ctx, 0, "prefix");
  CheckLists(ctx, static_cast<std::size_t>(ctx.num_outputs()));
  AtNode(ctx, [&] {
    const io::BundleReader reader(prefix);
    const auto read = [&](std::size_t k) {
      const int i = static_cast<int>(k);
      const std::string &name = ctx.input(1).strings()[k], &spec = ctx.input(2).strings()[k];
      const io::BundleEntry* entry = reader.Find(name);
      if (!entry) throw NotFoundError(fmt::format("Key {} not found in checkpoint '{}'", name, prefix));
      if (entry->dtype != ctx.output_dtype(i))
        throw InvalidArgumentError(
            fmt::format("tensor_name = {}; expected dtype {} does not equal original dtype {} (checkpoint '{}')", name,
                        DataTypeString(ctx.output_dtype(i)), DataTypeString(entry->dtype), prefix));
      const io::ShapeAndSlice part = io::ParseShapeAndSlice(spec);
      if (!part.whole && part.full_shape != entry->shape)
        throw InvalidArgumentError(
            fmt::format("tensor_name = {}; shape in shape_and_slice spec [{}] does not match the shape stored in "
                        "checkpoint: [{}] (checkpoint '{}')",
                        name, fmt::join(part.full_shape, ","), fmt::join(entry->shape, ","), prefix));
      return part.whole ? reader.Read(*entry) : reader.ReadSlice(name, part.slice);
    };
    std::vector<Array> values = io::ReadTogether(static_cast<std::size_t>(ctx.num_outputs()), read, ctx.pool());
    for (int i = 0; i < ctx.num_outputs(); ++i) ctx.set_output(i, std::move(values[static_cast<std::size_t>(i)]));
  });
}

void MergeV2Checkpoints(KernelContext& ctx) {
  const std::string& merged = Text(ctx, 1, "destination_prefix");
  AtNode(ctx, [&] {
    std::vector<std::string> prefixes = ctx.input(0).strings();
    if (ctx.attrs().Get<bool>("allow_missing_files"))
      std::erase_if(prefixes, [](const std::string& p) { return !fs::exists(io::IndexFileName(p)); });
    io::MergeBundles(prefixes, merged);
    if (!ctx.attrs().Get<bool>("delete_old_dirs")) return;
    const fs::path kept = fs::path(merged).parent_path();
    std::error_code ignored;
    for (const std::string& prefix : prefixes)
      if (const fs::path folder = fs::path(prefix).parent_path(); !folder.empty() && folder != kept)
        fs::remove(folder, ignored);  // only when nothing else is in it
  });
}

// tf: ShardedFilename: "name-00000-of-00002"
void ShardedFilename(KernelContext& ctx) {
  const std::string& base = Text(ctx, 0, "basename");
  ctx.set_output(0, Array::Strings({}, {fmt::format("{}-{:05}-of-{:05}", base, ctx.input(1).data<std::int32_t>()[0],
                                                    ctx.input(2).data<std::int32_t>()[0])}));
}

void NoOutput(ShapeContext&) {}
void Scalars(ShapeContext& c) {
  for (int i = 0; i < 3; ++i) c.WithRank(i, 0);
  c.set_output(0, Shape{});
}
// tf: the shape function of RestoreV2: what the slices say
void RestoreShapes(ShapeContext& c) {
  c.WithRank(1, 1);
  c.WithRank(2, 1);
  const Array* specs = c.constant(2);
  if (!specs || specs->dtype() != DType::kString) return;
  for (int i = 0; i < c.num_outputs() && i < static_cast<int>(specs->strings().size()); ++i) {
    const io::ShapeAndSlice part = io::ParseShapeAndSlice(specs->strings()[static_cast<std::size_t>(i)]);
    if (!part.whole) c.set_output(i, PartialShape(part.slice.ShapeWithin(part.full_shape)));
  }
}
}  // namespace

void RegisterCheckpoint(OpRegistry& r) {
  r.Add({.name = "SaveV2",
         .doc = "Writes tensors into a checkpoint.",
         .inputs = {"prefix: string", "tensor_names: string", "shape_and_slices: string", "tensors: dtypes"},
         .attrs = {"dtypes: list(type) >= 1"},
         .stateful = true,
         .shape = NoOutput,
         .kernel = Stateless(SaveV2)});
  r.Add({.name = "RestoreV2",
         .doc = "Tensors of a checkpoint.",
         .inputs = {"prefix: string", "tensor_names: string", "shape_and_slices: string"},
         .outputs = {"tensors: dtypes"},
         .attrs = {"dtypes: list(type) >= 1"},
         .stateful = true,
         .shape = RestoreShapes,
         .kernel = Stateless(RestoreV2)});
  r.Add({.name = "MergeV2Checkpoints",
         .doc = "Joins checkpoints into one whose shards they become.",
         .inputs = {"checkpoint_prefixes: string", "destination_prefix: string"},
         .attrs = {"delete_old_dirs: bool = true", "allow_missing_files: bool = false"},
         .stateful = true,
         .shape = NoOutput,
         .kernel = Stateless(MergeV2Checkpoints)});
  r.Add({.name = "ShardedFilename",
         .doc = "The name of one shard of a file.",
         .inputs = {"basename: string", "shard: int32", "num_shards: int32"},
         .outputs = {"filename: string"},
         .shape = Scalars,
         .kernel = Stateless(ShardedFilename)});
}
}  // namespace equiv::ops
