#include "kernels/cpu/space_batch.h"

#include <fmt/format.h>

#include <cstring>

#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/compute_util.h"

namespace equiv::cpu {
namespace {
using Ints = std::vector<std::int64_t>;

// One spatial dimension: where cell `at` of the output comes from.
struct BlockAxis {
  std::int64_t in = 1, out = 1, block = 1, before = 0;
};
struct Source {
  std::int64_t block = 0, cell = 0;  // cell < 0 or >= in: padding
};
// to_batch: offset `block` of the padded input in steps of the block size; else the inverse.
Source SourceOf(const BlockAxis& axis, std::int64_t at, std::int64_t offset, bool to_batch) {
  if (to_batch) return {offset, at * axis.block + offset - axis.before};
  const std::int64_t uncropped = at + axis.before;
  return {uncropped % axis.block, uncropped / axis.block};
}

void Move(KernelContext& ctx, const Ints& blocks, const Ints& pads, bool to_batch) {
  const Array input = ctx.input(0);
  const std::size_t bytes = SizeOf(input.dtype());
  if (bytes == 0) UnsupportedDType(ctx, input.dtype());
  const Shape shape = SpaceBatchShape(FailOf(ctx), input.shape(), blocks, pads, to_batch).Require();
  std::byte* out = ctx.Allocate(0, shape).raw();
  if (shape.num_elements() == 0) return;
  const std::int64_t batch = to_batch ? input.dim(0) : shape[0];  // of the images, not of the blocks
  std::vector<BlockAxis> axes;
  std::int64_t rows = 1, length = static_cast<std::int64_t>(bytes);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const int d = static_cast<int>(i) + 1;
    axes.push_back({.in = input.dim(d), .out = shape[d], .block = blocks[i], .before = pads[2 * i]});
  }
  if (axes.empty()) axes.push_back({});
  for (int d = static_cast<int>(blocks.size()) + 1; d < shape.rank(); ++d) length *= shape[d];
  for (std::size_t i = 0; i + 1 < axes.size(); ++i) rows *= axes[i].out;
  const BlockAxis& last = axes.back();
  // A row runs along the last spatial dimension.
  ctx.pool().ParallelRanges(
      shape[0] * rows, RowsPerBlock(last.out * length), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
          const std::int64_t image = row / rows;
          std::int64_t offsets = image / batch;  // of the block within the padded input, first axis slowest
          Ints offset(axes.size());
          for (std::size_t i = axes.size(); to_batch && i-- > 0; offsets /= axes[i].block)
            offset[i] = offsets % axes[i].block;
          std::int64_t position = row % rows, block = 0, cell = 0;
          Ints at(axes.size());
          for (std::size_t i = axes.size() - 1; i-- > 0; position /= axes[i].out) at[i] = position % axes[i].out;
          bool inside = true;
          for (std::size_t i = 0; i + 1 < axes.size(); ++i) {
            const Source source = SourceOf(axes[i], at[i], offset[i], to_batch);
            inside = inside && source.cell >= 0 && source.cell < axes[i].in;
            block = block * axes[i].block + source.block;
            cell = cell * axes[i].in + source.cell;
          }
          std::int64_t cells = 1;
          for (const BlockAxis& axis : axes) cells *= axis.in;
          std::byte* to = out + row * last.out * length;
          for (std::int64_t x = 0; x < last.out; ++x, to += length) {
            const Source source = SourceOf(last, x, offset.back(), to_batch);
            if (!inside || source.cell < 0 || source.cell >= last.in) {
              std::memset(to, 0, static_cast<std::size_t>(length));
              continue;
            }
            const std::int64_t from = to_batch ? image % batch : (block * last.block + source.block) * batch + image;
            std::memcpy(to, input.raw() + (from * cells + cell * last.in + source.cell) * length,
                        static_cast<std::size_t>(length));
          }
        }
      });
}

// Blocks and paddings from the inputs of the N-dimensional ops.
void MoveND(KernelContext& ctx, bool to_batch) {
  const Array &blocks = ctx.input(1), &pads = ctx.input(2);
  if (blocks.rank() != 1)
    throw InvalidArgumentError(fmt::format("{}block_shape rank should be 1 instead of {}", ctx.Where(), blocks.rank()));
  if (!(pads.shape() == Shape{blocks.dim(0), 2}))
    throw InvalidArgumentError(fmt::format("{}{} should have shape [{},2] instead of {}", ctx.Where(),
                                           to_batch ? "paddings" : "crops", blocks.dim(0), pads.shape().ToString()));
  Move(ctx, blocks.AsInt64Vector(), pads.AsInt64Vector(), to_batch);
}
void MoveImages(KernelContext& ctx, bool to_batch) {
  if (ctx.input(0).rank() != 4)
    throw InvalidArgumentError(
        fmt::format("{}Input rank should be: 4 instead of: {}", ctx.Where(), ctx.input(0).rank()));
  if (!(ctx.input(1).shape() == Shape{2, 2}))
    throw InvalidArgumentError(fmt::format("{}{} should have shape [2, 2] instead of {}", ctx.Where(),
                                           to_batch ? "paddings" : "crops", ctx.input(1).shape().ToString()));
  const std::int64_t block = ctx.attrs().Get<std::int64_t>("block_size");
  Move(ctx, {block, block}, ctx.input(1).AsInt64Vector(), to_batch);
}
}  // namespace

PartialShape SpaceBatchShape(const FailFn& fail, const PartialShape& input, const Ints& blocks, const Ints& pads,
                             bool to_batch) {
  if (input.rank() < static_cast<int>(blocks.size()) + 1)
    fail(fmt::format("input rank should be >= {} instead of {}", blocks.size() + 1, input.rank()));
  Ints dims = input.dims();
  std::int64_t product = 1;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i] < 1)
      fail(fmt::format("All values in block_shape must be positive, got value, {} at index {}.", blocks[i], i));
    if (pads[2 * i] < 0 || pads[2 * i + 1] < 0)
      fail(to_batch ? "Paddings must be non-negative" : "Crops must be non-negative");
    product = CheckedMul(fail, product, blocks[i]);
    const std::int64_t both = CheckedAdd(fail, pads[2 * i], pads[2 * i + 1]);
    std::int64_t& d = dims[i + 1];
    if (d < 0) continue;
    if (to_batch) {
      const std::int64_t padded = CheckedAdd(fail, d, both);
      if (padded % blocks[i] != 0)
        fail(fmt::format("padded_shape[{0}]={1} is not divisible by block_shape[{0}]={2}", i, padded, blocks[i]));
      d = padded / blocks[i];
    } else {
      d = CheckedMul(fail, d, blocks[i]);
      if (d < both) fail(fmt::format("cropped_shape[{}]={} must be non-negative", i, d - both));
      d -= both;
    }
  }
  if (dims[0] >= 0 && to_batch) {
    dims[0] = CheckedMul(fail, dims[0], product);
  } else if (dims[0] >= 0) {
    if (dims[0] % product != 0)
      fail(fmt::format("Input batch dimension ({}) is not divisible by product of block sizes ({})", dims[0], product));
    dims[0] /= product;
  }
  return PartialShape(std::move(dims));
}

void SpaceToBatchND(KernelContext& ctx) { MoveND(ctx, true); }
void BatchToSpaceND(KernelContext& ctx) { MoveND(ctx, false); }
void SpaceToBatch(KernelContext& ctx) { MoveImages(ctx, true); }
void BatchToSpace(KernelContext& ctx) { MoveImages(ctx, false); }

}  // namespace equiv::cpu
