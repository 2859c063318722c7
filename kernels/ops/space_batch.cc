// kernels/ops/space_batch.cc - blocks of cells moved to the batch and back.
#include "kernels/cpu/space_batch.h"

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
namespace {
using Ints = std::vector<std::int64_t>;

// tf: SpaceToBatchShape, BatchToSpaceShape
ShapeFn ShapeND(bool to_batch) {
  return [to_batch](ShapeContext& c) {
    const PartialShape blocks = c.WithRank(1, 1), pads = c.WithRank(2, 2);
    if (blocks[0] >= 0 && pads[0] >= 0 && blocks[0] != pads[0])
      c.Fail("Dimensions must be equal, but are " + blocks.ToString() + " blocks and " + pads.ToString());
    if (pads[1] >= 0 && pads[1] != 2) c.Fail("Dimension must be 2 but is " + std::to_string(pads[1]));
    if (blocks[0] >= 0) c.WithRankAtLeast(0, static_cast<int>(std::min<std::int64_t>(blocks[0], kMaxRank)) + 1);
    const PartialShape& input = c.input(0);
    if (!input.has_rank()) return c.set_output(0, PartialShape::Unknown());
    if (c.constant(1) && c.constant(2))
      return c.set_output(0, cpu::SpaceBatchShape(FailThrough(c), input, c.constant(1)->AsInt64Vector(),
                                                  c.constant(2)->AsInt64Vector(), to_batch));
    // Dimensions behind the blocks keep their size.
    Ints dims = input.dims();
    const std::int64_t changed = blocks[0] < 0 ? input.rank() : blocks[0] + 1;
    for (std::int64_t i = 0; i < changed; ++i) dims[static_cast<std::size_t>(i)] = -1;
    c.set_output(0, PartialShape(std::move(dims)));
  };
}
ShapeFn ImageShape(bool to_batch) {
  return [to_batch](ShapeContext& c) {
    const PartialShape image = c.WithRank(0, 4), pads = c.WithRank(1, 2);
    for (int i = 0; i < 2; ++i)
      if (pads[i] >= 0 && pads[i] != 2) c.Fail("paddings and crops must be [2,2], got " + pads.ToString());
    const std::int64_t block = c.attr<std::int64_t>("block_size");
    if (!c.constant(1)) return c.set_output(0, PartialShape{-1, -1, -1, image[3]});
    c.set_output(0,
                 cpu::SpaceBatchShape(FailThrough(c), image, {block, block}, c.constant(1)->AsInt64Vector(), to_batch));
  };
}
void Add(OpRegistry& r, const char* name, const char* doc, std::vector<std::string> inputs,
         std::vector<std::string> attrs, ShapeFn shape, void (*kernel)(KernelContext&)) {
  r.Add({.name = name,
         .doc = doc,
         .inputs = std::move(inputs),
         .outputs = {"output: T"},
         .attrs = std::move(attrs),
         .shape = std::move(shape),
         .kernel = Stateless(kernel)});
}
}  // namespace

void RegisterSpaceBatch(OpRegistry& r) {
  const char *to_batch = "Blocks of cells laid behind one another in the batch.",
             *to_space = "Parts of the batch laid out as blocks of cells.";
  Add(r, "SpaceToBatchND", to_batch, {"input: T", "block_shape: Tblock_shape", "paddings: Tpaddings"},
      {"T: type", "Tblock_shape: {int32, int64} = int32", "Tpaddings: {int32, int64} = int32"}, ShapeND(true),
      cpu::SpaceToBatchND);
  Add(r, "BatchToSpaceND", to_space, {"input: T", "block_shape: Tblock_shape", "crops: Tcrops"},
      {"T: type", "Tblock_shape: {int32, int64} = int32", "Tcrops: {int32, int64} = int32"}, ShapeND(false),
      cpu::BatchToSpaceND);
  Add(r, "SpaceToBatch", to_batch, {"input: T", "paddings: Tpaddings"},
      {"T: type", "Tpaddings: {int32, int64} = int32", "block_size: int >= 2"}, ImageShape(true), cpu::SpaceToBatch);
  Add(r, "BatchToSpace", to_space, {"input: T", "crops: Tidx"},
      {"T: type", "block_size: int >= 2", "Tidx: {int32, int64} = int32"}, ImageShape(false), cpu::BatchToSpace);
}

}  // namespace equiv::ops
