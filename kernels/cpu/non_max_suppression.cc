#include "kernels/cpu/non_max_suppression.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>
#include <string>
#include <vector>

#include "kernels/base/flush.h"
#include "kernels/cpu/compute_util.h"

namespace equiv::cpu {
namespace {

// Area common to two boxes of two corners each, over the area they cover together. tf: IOU
float Overlap(const float* a, const float* b) {
  const float a_top = std::min(a[0], a[2]), a_left = std::min(a[1], a[3]);
  const float a_bottom = std::max(a[0], a[2]), a_right = std::max(a[1], a[3]);
  const float b_top = std::min(b[0], b[2]), b_left = std::min(b[1], b[3]);
  const float b_bottom = std::max(b[0], b[2]), b_right = std::max(b[1], b[3]);
  const float area_a = (a_bottom - a_top) * (a_right - a_left), area_b = (b_bottom - b_top) * (b_right - b_left);
  if (area_a <= 0 || area_b <= 0) return 0;
  const float height = std::max(std::min(a_bottom, b_bottom) - std::max(a_top, b_top), 0.0F);
  const float width = std::max(std::min(a_right, b_right) - std::max(a_left, b_left), 0.0F);
  const float common = height * width;
  return common / (area_a + area_b - common);
}

struct Rules {
  std::int64_t most = 0;
  float iou = 0.5F, score = -std::numeric_limits<float>::infinity(), sigma = 0;
};
struct Taken {
  std::int32_t box = 0;
  float score = 0;
};
struct Candidate {
  std::int32_t box = 0;
  float score = 0;
  std::size_t compared = 0;  // with so many of the taken boxes
  // The next one is the greatest.
  friend bool operator<(const Candidate& a, const Candidate& b) {
    return a.score < b.score || (a.score == b.score && a.box > b.box);
  }
};

// `boxes` and `scores`: of candidate i. tf: DoNonMaxSuppressionOp
template <class BoxAt, class ScoreAt>
std::vector<Taken> Suppress(std::int64_t n, const Rules& rules, const BoxAt& boxes, const ScoreAt& scores) {
  std::priority_queue<Candidate> queue;
  for (std::int32_t i = 0; i < n; ++i)
    if (scores(i) > rules.score) queue.push({i, scores(i), 0});
  const bool soft = rules.sigma > 0;
  const float scale = soft ? -0.5F / rules.sigma : 0.0F;
  std::vector<Taken> taken;
  while (static_cast<std::int64_t>(taken.size()) < rules.most && !queue.empty()) {
    Candidate next = queue.top();
    queue.pop();
    const float before = next.score;
    bool dropped = false;
    for (std::size_t j = taken.size(); j-- > next.compared;) {
      const float overlap = Overlap(boxes(next.box), boxes(taken[j].box));
      if (!soft && overlap > rules.iou) {
        dropped = true;
        break;
      }
      if (soft) next.score *= std::exp(scale * overlap * overlap);
      if (next.score <= rules.score) break;
    }
    if (dropped) continue;
    next.compared = taken.size();
    if (next.score == before)
      taken.push_back({next.box, next.score});
    else if (next.score > rules.score)
      queue.push(next);
  }
  return taken;
}

[[noreturn]] void Refuse(KernelContext& ctx, const std::string& text) {
  throw InvalidArgumentError(ctx.Where() + text);
}
template <class T>
T ScalarOf(KernelContext& ctx, int i, const char* name) {
  const Array& a = ctx.input(i);
  if (a.rank() != 0) Refuse(ctx, fmt::format("{} must be 0-D, got shape {}", name, a.shape().ToString()));
  return a.data<T>()[0];
}
void RequireThreshold(KernelContext& ctx, float iou) {
  if (!(iou >= 0 && iou <= 1)) Refuse(ctx, fmt::format("iou_threshold must be in [0, 1], got {}", iou));
}

std::vector<Taken> Select(KernelContext& ctx, Rules rules) {
  const Array boxes = ctx.input(0), scores = ctx.input(1);
  if (boxes.rank() != 2) Refuse(ctx, "boxes must be 2-D, got shape " + boxes.shape().ToString());
  if (boxes.dim(1) != 4) Refuse(ctx, "boxes must have 4 columns, got shape " + boxes.shape().ToString());
  if (!(scores.shape() == Shape{boxes.dim(0)}))
    Refuse(ctx, fmt::format("scores has incompatible shape: {} for boxes {}", scores.shape().ToString(),
                            boxes.shape().ToString()));
  if (boxes.dim(0) > std::numeric_limits<std::int32_t>::max()) Refuse(ctx, "too many boxes for indices of 32 bits");
  RequireThreshold(ctx, rules.iou);
  rules.most = ScalarOf<std::int32_t>(ctx, 2, "max_output_size");
  if (rules.most < 0) Refuse(ctx, fmt::format("output size must be non-negative, got {}", rules.most));
  const ScopedFlushDenormals flush;
  return Suppress(
      boxes.dim(0), rules, [&](std::int32_t i) { return boxes.data<float>() + std::int64_t{4} * i; },
      [&](std::int32_t i) { return scores.data<float>()[i]; });
}
// Writes indices to output 0, the scores to output 1 where the op has them, padded to `size`.
void Write(KernelContext& ctx, const std::vector<Taken>& taken, std::int64_t size, bool scores) {
  std::int32_t* index = ctx.Allocate(0, Shape{size}).mutable_data<std::int32_t>();
  float* score = scores ? ctx.Allocate(1, Shape{size}).mutable_data<float>() : nullptr;
  for (std::int64_t i = 0; i < size; ++i) {
    const Taken t = static_cast<std::size_t>(i) < taken.size() ? taken[static_cast<std::size_t>(i)] : Taken{};
    index[i] = t.box;
    if (score) score[i] = t.score;
  }
}
void WriteCounted(KernelContext& ctx, const std::vector<Taken>& taken, bool scores) {
  const auto count = static_cast<std::int64_t>(taken.size());
  const bool padded = ctx.attrs().Get<bool>("pad_to_max_output_size");
  Write(ctx, taken, padded ? ctx.input(2).data<std::int32_t>()[0] : count, scores);
  ctx.set_output(scores ? 2 : 1, Array::Scalar(static_cast<std::int32_t>(count)));
}
}  // namespace

void NonMaxSuppression(KernelContext& ctx) {
  const std::vector<Taken> taken = Select(ctx, {.iou = ctx.attrs().Get<float>("iou_threshold")});
  Write(ctx, taken, static_cast<std::int64_t>(taken.size()), false);
}
void NonMaxSuppressionV2(KernelContext& ctx) {
  const std::vector<Taken> taken = Select(ctx, {.iou = ScalarOf<float>(ctx, 3, "iou_threshold")});
  Write(ctx, taken, static_cast<std::int64_t>(taken.size()), false);
}
void NonMaxSuppressionV3(KernelContext& ctx) {
  const std::vector<Taken> taken = Select(
      ctx, {.iou = ScalarOf<float>(ctx, 3, "iou_threshold"), .score = ScalarOf<float>(ctx, 4, "score_threshold")});
  Write(ctx, taken, static_cast<std::int64_t>(taken.size()), false);
}
void NonMaxSuppressionV4(KernelContext& ctx) {
  WriteCounted(ctx,
               Select(ctx, {.iou = ScalarOf<float>(ctx, 3, "iou_threshold"),
                            .score = ScalarOf<float>(ctx, 4, "score_threshold")}),
               false);
}
void NonMaxSuppressionV5(KernelContext& ctx) {
  const float sigma = ScalarOf<float>(ctx, 5, "soft_nms_sigma");
  if (!(sigma >= 0)) Refuse(ctx, fmt::format("soft_nms_sigma must be non-negative, got {}", sigma));
  WriteCounted(ctx,
               Select(ctx, {.iou = ScalarOf<float>(ctx, 3, "iou_threshold"),
                            .score = ScalarOf<float>(ctx, 4, "score_threshold"),
                            .sigma = sigma}),
               true);
}

void CombinedNonMaxSuppression(KernelContext& ctx) {
  const Array boxes = ctx.input(0), scores = ctx.input(1);
  if (boxes.rank() != 4 || boxes.dim(3) != 4) Refuse(ctx, "boxes must be [b,n,q,4], got " + boxes.shape().ToString());
  if (scores.rank() != 3 || scores.dim(0) != boxes.dim(0) || scores.dim(1) != boxes.dim(1))
    Refuse(ctx, fmt::format("scores must be [b,n,classes] for boxes {}, got {}", boxes.shape().ToString(),
                            scores.shape().ToString()));
  const std::int64_t batch = boxes.dim(0), n = boxes.dim(1), q = boxes.dim(2), classes = scores.dim(2);
  if (q != 1 && q != classes)
    Refuse(ctx, fmt::format("third dimension of boxes must be either 1 or num classes {}, got {}", classes, q));
  const std::int64_t per_class = ScalarOf<std::int32_t>(ctx, 2, "max_size_per_class"),
                     total = ScalarOf<std::int32_t>(ctx, 3, "max_total_size");
  if (per_class <= 0) Refuse(ctx, fmt::format("max_size_per_class must be positive, got {}", per_class));
  if (total <= 0) Refuse(ctx, fmt::format("max_total_size must be > 0, got {}", total));
  if (n > std::numeric_limits<std::int32_t>::max()) Refuse(ctx, "too many boxes for indices of 32 bits");
  const Rules rules{.most = per_class,
                    .iou = ScalarOf<float>(ctx, 4, "iou_threshold"),
                    .score = ScalarOf<float>(ctx, 5, "score_threshold")};
  RequireThreshold(ctx, rules.iou);
  const bool clip = ctx.attrs().Get<bool>("clip_boxes");
  const std::int64_t size = ctx.attrs().Get<bool>("pad_per_class") ? std::min(total, per_class * classes) : total;
  float* out_boxes = ctx.Allocate(0, Shape{batch, size, 4}).mutable_data<float>();
  float* out_scores = ctx.Allocate(1, Shape{batch, size}).mutable_data<float>();
  float* out_classes = ctx.Allocate(2, Shape{batch, size}).mutable_data<float>();
  std::int32_t* valid = ctx.Allocate(3, Shape{batch}).mutable_data<std::int32_t>();
  ctx.pool().ParallelFor(batch, [&](std::int64_t b) {
    struct Found {
      const float* box;
      float score;
      std::int64_t of_class;
    };
    std::vector<Found> found;
    for (std::int64_t c = 0; c < classes; ++c) {
      const auto box = [&](std::int32_t i) { return boxes.data<float>() + ((b * n + i) * q + (q > 1 ? c : 0)) * 4; };
      const auto score = [&](std::int32_t i) { return scores.data<float>()[(b * n + i) * classes + c]; };
      for (const Taken& t : Suppress(n, rules, box, score)) found.push_back({box(t.box), t.score, c});
    }
    std::ranges::stable_sort(found, [](const Found& x, const Found& y) { return x.score > y.score; });
    const std::int64_t count = std::min(size, static_cast<std::int64_t>(found.size()));
    valid[b] = static_cast<std::int32_t>(count);
    std::fill_n(out_boxes + b * size * 4, size * 4, 0.0F);
    std::fill_n(out_scores + b * size, size, 0.0F);
    std::fill_n(out_classes + b * size, size, 0.0F);
    for (std::int64_t i = 0; i < count; ++i) {
      const Found& f = found[static_cast<std::size_t>(i)];
      for (int k = 0; k < 4; ++k)
        out_boxes[(b * size + i) * 4 + k] = clip ? std::max(std::min(f.box[k], 1.0F), 0.0F) : f.box[k];
      out_scores[b * size + i] = f.score;
      out_classes[b * size + i] = static_cast<float>(f.of_class);
    }
  });
}

}  // namespace equiv::cpu
