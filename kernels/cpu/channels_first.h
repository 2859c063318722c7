// kernels/cpu/channels_first.h - kernels written for channels last, run on arrays with channels first.
//
// tf: with oneDNN, as its wheels are, TensorFlow's CPU kernels take NCHW and NCDHW; without, only few of them do.
#pragma once
#include <vector>

#include "kernels/base/kernel.h"

namespace equiv::cpu {

// Whether attribute data_format puts the channels before the spatial dimensions.
bool ChannelsFirst(KernelContext& ctx);

// Which inputs and outputs are laid out by data_format.
struct LayoutArgs {
  std::vector<int> images;   // inputs of as many dimensions as the format has letters
  std::vector<int> sizes;    // inputs that list such dimensions
  std::vector<int> results;  // outputs
};
// Transposes, runs the kernel with the format, its lists by dimension and these inputs turned to channels last, and
// transposes the results back. Inputs of another rank are passed as they are, for the kernel to refuse.
void RunChannelsLast(KernelContext& ctx, const LayoutArgs& args, void (*kernel)(KernelContext&));

}  // namespace equiv::cpu
