// kernels/cpu/einsum.h - Einsum: sums of products along named dimensions.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernels/base/kernel.h"
#include "kernels/cpu/conv_geometry.h"

namespace equiv::cpu {

// Labels of the dimensions: 0..255 for a character, and one negative number for each dimension an ellipsis stands for,
// -1 for the last of them.
using EinsumLabels = std::vector<int>;
struct EinsumPlan {
  std::vector<EinsumLabels> inputs;        // one label for each dimension
  EinsumLabels output;                     // of the result, repeats included
  std::map<int, std::int64_t> dimensions;  // -1 when not known
};
// tf: ParseEinsumEquation, ValidateEinsumEquation and the checks of EinsumOp. Every shape has a rank.
EinsumPlan MakeEinsumPlan(const FailFn& fail, const std::string& equation, const std::vector<PartialShape>& shapes);

// One or two inputs, attribute equation. The types of BatchMatMul; one input: those of Sum, and any where nothing is
// summed.
void Einsum(KernelContext& ctx);

}  // namespace equiv::cpu
