// kernels/ops/non_max_suppression.cc - boxes of high score that do not overlap.
#include "kernels/cpu/non_max_suppression.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/base/op_registry.h"
#include "kernels/cpu/compute_util.h"
#include "kernels/ops/common_shapes.h"

namespace equiv::ops {
namespace {
using Names = std::vector<std::string>;
constexpr const char* kDoc = "Boxes of high score that do not overlap one another.";

// Checks inputs; the number of boxes taken is known only when padded to it.
void SelectionShape(ShapeContext& c) {
  const PartialShape boxes = c.WithRank(0, 2), scores = c.WithRank(1, 1);
  if (boxes[0] >= 0 && scores[0] >= 0 && boxes[0] != scores[0])
    c.Fail(fmt::format("Dimensions must be equal, but are {} and {}: boxes {} and scores {}", boxes[0], scores[0],
                       boxes.ToString(), scores.ToString()));
  if (boxes[1] >= 0 && boxes[1] != 4) c.Fail("Dimension must be 4 but is " + std::to_string(boxes[1]) + ": boxes");
  for (int i = 2; i < c.num_inputs(); ++i) c.WithRank(i, 0);
  const AttrValue* pad = c.attrs().Find("pad_to_max_output_size");
  const auto most = ConstantScalar(c, 2);
  const std::int64_t size = pad && std::get<bool>(*pad) && most ? *most : -1;
  if (size < -1) c.Fail("output size must be non-negative, got " + std::to_string(size));
  c.set_output(0, PartialShape{size});
  if (c.num_outputs() == 3) c.set_output(1, PartialShape{size});
  if (c.num_outputs() > 1) c.set_output(c.num_outputs() - 1, Shape{});
}
void CombinedShape(ShapeContext& c) {
  const PartialShape boxes = c.WithRank(0, 4), scores = c.WithRank(1, 3);
  for (int i = 2; i < 6; ++i) c.WithRank(i, 0);
  if (boxes[3] >= 0 && boxes[3] != 4) c.Fail("Dimension must be 4 but is " + std::to_string(boxes[3]) + ": boxes");
  const auto per_class = ConstantScalar(c, 2), total = ConstantScalar(c, 3);
  std::int64_t size = -1;
  if (total && *total <= 0) c.Fail(fmt::format("max_total_size must be > 0, got {}", *total));
  if (total && !c.attr<bool>("pad_per_class"))
    size = *total;
  else if (total && per_class && *per_class > 0 && scores[2] >= 0)
    size = scores[2] > *total / *per_class ? *total : std::min(*total, *per_class * scores[2]);
  c.set_output(0, PartialShape{boxes[0], size, 4});
  c.set_output(1, PartialShape{boxes[0], size});
  c.set_output(2, PartialShape{boxes[0], size});
  c.set_output(3, PartialShape{boxes[0]});
}
void Add(OpRegistry& r, const char* name, Names more_inputs, Names outputs, Names attrs,
         void (*kernel)(KernelContext&)) {
  const std::string type = std::string(name) == "NonMaxSuppression" ? "float" : "T";
  Names inputs{"boxes: " + type, "scores: " + type, "max_output_size: int32"};
  inputs.insert(inputs.end(), more_inputs.begin(), more_inputs.end());
  r.Add({.name = name,
         .doc = kDoc,
         .inputs = inputs,
         .outputs = std::move(outputs),
         .attrs = std::move(attrs),
         .shape = SelectionShape,
         .kernel = Stateless(kernel)});
}
}  // namespace

void RegisterNonMaxSuppression(OpRegistry& r) {
  const std::string index = "selected_indices: int32", iou = "iou_threshold: T_threshold",
                    score = "score_threshold: T_threshold", valid = "valid_outputs: int32";
  const Names types{"T: {half, float} = float", "T_threshold: {half, float} = float"};
  const std::string pad = "pad_to_max_output_size: bool = false";
  Add(r, "NonMaxSuppression", {}, {index}, {"iou_threshold: float = 0.5"}, cpu::NonMaxSuppression);
  Add(r, "NonMaxSuppressionV2", {iou}, {index}, types, cpu::FloatOnly<cpu::NonMaxSuppressionV2>);
  Add(r, "NonMaxSuppressionV3", {iou, score}, {index}, types, cpu::FloatOnly<cpu::NonMaxSuppressionV3>);
  Add(r, "NonMaxSuppressionV4", {iou, score}, {index, valid}, {types[0], types[1], pad},
      cpu::FloatOnly<cpu::NonMaxSuppressionV4>);
  Add(r, "NonMaxSuppressionV5", {"iou_threshold: T", "score_threshold: T", "soft_nms_sigma: T"},
      {index, "selected_scores: T", valid}, {types[0], pad}, cpu::FloatOnly<cpu::NonMaxSuppressionV5>);
  r.Add({.name = "CombinedNonMaxSuppression",
         .doc = "For each image the best boxes of every class that do not overlap within it.",
         .inputs = {"boxes: float", "scores: float", "max_output_size_per_class: int32", "max_total_size: int32",
                    "iou_threshold: float", "score_threshold: float"},
         .outputs = {"nmsed_boxes: float", "nmsed_scores: float", "nmsed_classes: float", "valid_detections: int32"},
         .attrs = {"pad_per_class: bool = false", "clip_boxes: bool = true"},
         .shape = CombinedShape,
         .kernel = Stateless(cpu::CombinedNonMaxSuppression)});
}

}  // namespace equiv::ops
