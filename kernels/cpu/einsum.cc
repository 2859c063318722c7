#include "kernels/cpu/einsum.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "kernels/cpu/gemm_matmul.h"
#include "kernels/cpu/index_args.h"
#include "kernels/cpu/reduce.h"
#include "kernels/cpu/view.h"

namespace equiv::cpu {
namespace {
using Ints = std::vector<std::int64_t>;
constexpr int kEllipsis = 1000;

EinsumLabels LabelsOf(const FailFn& fail, const std::string& equation, std::string_view subscripts) {
  EinsumLabels labels;
  for (std::size_t i = 0; i < subscripts.size(); ++i) {
    if (subscripts[i] != '.') {
      labels.push_back(static_cast<unsigned char>(subscripts[i]));
      continue;
    }
    if (subscripts.substr(i, 3) != "..." || std::ranges::find(labels, kEllipsis) != labels.end())
      fail(fmt::format("Einsum subscripts '{}' of equation '{}' may hold one ellipsis (...) and no other dot",
                       subscripts, equation));
    labels.push_back(kEllipsis);
    i += 2;
  }
  return labels;
}
// The ellipsis replaced by `rank` dimensions.
void ExpandEllipsis(EinsumLabels& labels, int rank) {
  const auto at = std::ranges::find(labels, kEllipsis);
  if (at == labels.end()) return;
  EinsumLabels dims;
  for (int i = rank; i > 0; --i) dims.push_back(-i);
  labels.insert(labels.erase(at), dims.begin(), dims.end());
}
bool Contains(const EinsumLabels& labels, int label) { return std::ranges::find(labels, label) != labels.end(); }
// Each label once, in order.
EinsumLabels Distinct(const EinsumLabels& labels) {
  EinsumLabels once;
  for (int label : labels)
    if (!Contains(once, label)) once.push_back(label);
  return once;
}
std::int64_t SizeOfAll(const EinsumPlan& plan, const EinsumLabels& labels) {
  std::int64_t n = 1;
  for (int label : labels) n *= plan.dimensions.at(label);
  return n;
}

// The operand with its dimensions in the order of `labels`: repeats become their diagonal, and what it has not, or has
// with size 1, is repeated.
Array Arranged(KernelContext& ctx, const EinsumPlan& plan, const Array& in, const EinsumLabels& own,
               const EinsumLabels& labels, const Shape& shape) {
  const Ints strides = StridesOf(in.shape());
  View view;
  for (int label : labels) {
    std::int64_t stride = 0;
    for (std::size_t d = 0; d < own.size(); ++d)
      if (own[d] == label && in.dim(static_cast<int>(d)) != 1) stride += strides[d];
    view.dims.push_back(plan.dimensions.at(label));
    view.strides.push_back(stride);
  }
  return CopyOfView(ctx.pool(), in, std::move(view), shape);
}
// The result, given with its dimensions in the order of `labels`, in the order of the output; a repeated output label
// fills a diagonal.
void Deliver(KernelContext& ctx, const EinsumPlan& plan, const Array& result, const EinsumLabels& labels) {
  const EinsumLabels once = Distinct(plan.output);
  Ints strides, steps(once.size(), 0), dims, output_dims;
  std::map<int, std::int64_t> from;
  std::int64_t step = 1;
  for (auto it = labels.rbegin(); it != labels.rend(); ++it) {
    from[*it] = step;
    step *= plan.dimensions.at(*it);
  }
  for (int label : plan.output) output_dims.push_back(plan.dimensions.at(label));
  for (int label : once) {
    dims.push_back(plan.dimensions.at(label));
    strides.push_back(from.at(label));
  }
  const Shape shape(output_dims);
  if (once.size() == plan.output.size()) {
    ctx.set_output(0, CopyOfView(ctx.pool(), result, {.offset = 0, .dims = dims, .strides = strides}, shape));
    return;
  }
  const Ints to = StridesOf(shape);
  for (std::size_t i = 0; i < once.size(); ++i)
    for (std::size_t d = 0; d < plan.output.size(); ++d)
      if (plan.output[d] == once[i]) steps[i] += to[d];
  Array& out = ctx.Allocate(0, shape);
  if (out.num_bytes()) std::memset(out.raw(), 0, out.num_bytes());
  const std::size_t size = SizeOf(out.dtype());
  for (std::int64_t i = 0; i < result.num_elements(); ++i) {
    std::int64_t rest = i, source = 0, target = 0;
    for (std::size_t d = dims.size(); d-- > 0;) {
      source += rest % dims[d] * strides[d];
      target += rest % dims[d] * steps[d];
      rest /= dims[d];
    }
    std::memcpy(out.raw() + static_cast<std::size_t>(target) * size,
                result.raw() + static_cast<std::size_t>(source) * size, size);
  }
}

// One operand as [batch, free, contracted], what only it has and the output has not summed up.
Array Operand(KernelContext& ctx, const EinsumPlan& plan, int i, const EinsumLabels& batch, const EinsumLabels& free,
              const EinsumLabels& contracted) {
  EinsumLabels order = batch;
  order.insert(order.end(), free.begin(), free.end());
  order.insert(order.end(), contracted.begin(), contracted.end());
  EinsumLabels summed;
  const EinsumLabels& own = plan.inputs[static_cast<std::size_t>(i)];
  for (int label : Distinct(own))
    if (!Contains(order, label)) summed.push_back(label);
  const Shape shape{SizeOfAll(plan, batch), SizeOfAll(plan, free), SizeOfAll(plan, contracted)};
  EinsumLabels all = order;
  all.insert(all.end(), summed.begin(), summed.end());
  const std::int64_t terms = SizeOfAll(plan, summed);
  Array arranged = Arranged(ctx, plan, ctx.input(i), own, all, Shape{shape.num_elements(), terms});
  if (!summed.empty()) arranged = SumOfRows(ctx, arranged);
  return arranged.Reshaped(shape);
}
}  // namespace

EinsumPlan MakeEinsumPlan(const FailFn& fail, const std::string& equation, const std::vector<PartialShape>& shapes) {
  const auto arrow = equation.find("->");
  if (arrow == std::string::npos || equation.find("->", arrow + 2) != std::string::npos)
    fail("Expecting exactly one '->' in einsum equation: " + equation);
  std::string_view left = std::string_view(equation).substr(0, arrow);
  EinsumPlan plan;
  for (;;) {
    const auto comma = left.find(',');
    plan.inputs.push_back(LabelsOf(fail, equation, left.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    left = left.substr(comma + 1);
  }
  if (plan.inputs.size() > 2)
    fail(fmt::format("Expecting 1 or 2 input subscripts in equation '{}' but got: {}", equation, plan.inputs.size()));
  if (plan.inputs.size() != shapes.size())
    fail(fmt::format("Expected {} inputs but got: {}", plan.inputs.size(), shapes.size()));
  plan.output = LabelsOf(fail, equation, std::string_view(equation).substr(arrow + 2));
  if (Contains(plan.output, ',')) fail("Expecting one output subscript in einsum equation: " + equation);
  int broadcast = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    EinsumLabels& labels = plan.inputs[i];
    const bool ellipsis = Contains(labels, kEllipsis);
    const int named = static_cast<int>(labels.size()) - ellipsis, rank = shapes[i].rank();
    if (ellipsis ? rank < named : rank != named)
      fail(fmt::format("Expected input {} to have rank {}{} but got: {}", i, ellipsis ? "at least " : "", named, rank));
    broadcast = std::max(broadcast, rank - named);
    ExpandEllipsis(labels, rank - named);
  }
  if (broadcast > 0 && !Contains(plan.output, kEllipsis))
    fail(
        fmt::format("Output contains {} broadcasting dimension(s) but no ellipsis (...) was found in the output "
                    "subscripts.",
                    broadcast));
  ExpandEllipsis(plan.output, broadcast);
  for (std::size_t i = 0; i < shapes.size(); ++i)
    for (std::size_t d = 0; d < plan.inputs[i].size(); ++d) {
      const int label = plan.inputs[i][d];
      const std::int64_t size = shapes[i][static_cast<int>(d)];
      const auto [at, fresh] = plan.dimensions.emplace(label, size);
      std::int64_t& known = at->second;
      if (fresh || size == known || size < 0) {
        if (!fresh && size < 0 && label < 0 && known == 1) known = -1;  // may turn out to be larger
        continue;
      }
      if (known < 0 || (label < 0 && known == 1))
        known = size == 1 && label < 0 && known < 0 ? known : size;
      else if (!(label < 0 && size == 1))
        fail(fmt::format("Expected dimension {} at axis {} of the input shaped {} but got dimension {}", known, d,
                         shapes[i].ToString(), size));
    }
  for (int label : plan.output)
    if (!plan.dimensions.contains(label))
      fail(fmt::format("Einsum output label '{}' does not appear in the inputs of equation '{}'",
                       static_cast<char>(label), equation));
  return plan;
}

void Einsum(KernelContext& ctx) {
  std::vector<PartialShape> shapes;
  for (int i = 0; i < ctx.num_inputs(); ++i) shapes.emplace_back(ctx.input(i).shape());
  const EinsumPlan plan = MakeEinsumPlan(FailOf(ctx), ctx.attrs().Get<std::string>("equation"), shapes);
  RequireFixedSize(ctx, ctx.input(0).dtype());
  const EinsumLabels kept = Distinct(plan.output);
  if (ctx.num_inputs() == 1) return Deliver(ctx, plan, Operand(ctx, plan, 0, {}, kept, {}), kept);
  EinsumLabels batch, contracted, free[2];
  for (int label : kept) {
    const bool in[2] = {Contains(plan.inputs[0], label), Contains(plan.inputs[1], label)};
    // A broadcast dimension that one operand lacks is repeated there.
    if (label < 0 || (in[0] && in[1]))
      batch.push_back(label);
    else
      free[in[0] ? 0 : 1].push_back(label);
  }
  for (int label : Distinct(plan.inputs[0]))
    if (Contains(plan.inputs[1], label) && !Contains(plan.output, label)) contracted.push_back(label);
  const Array a = Operand(ctx, plan, 0, batch, free[0], contracted),
              b = Operand(ctx, plan, 1, batch, free[1], contracted);
  EinsumLabels order = batch;
  for (const EinsumLabels& labels : free) order.insert(order.end(), labels.begin(), labels.end());
  Deliver(ctx, plan, BatchProduct(ctx, a, b, false, true), order);
}

}  // namespace equiv::cpu
