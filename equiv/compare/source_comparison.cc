#include "equiv/compare/source_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <unordered_map>

#include "equiv/compare/printable.h"
#include "kernels/base/error.h"

namespace equiv {
namespace {

using Infos = std::vector<const TensorInfo*>;

class Matcher {
 public:
  Matcher(const TensorSource& a, const TensorSource& b, const SourceComparisonOptions& options,
          SourceComparison& result)
      : options_(options), result_(result) {
    Take(a, b, a_);
    Take(b, a, b_);
    CompareBookkeeping(a, b);
  }

  std::vector<TensorRow> Match(const TensorSource& a, const TensorSource& b) {
    for (const auto& [from, to] : options_.mapping) {
      const TensorInfo *x = Mapped(a, from), *y = Mapped(b, to);
      if (!IsLeft(a_, x) || !IsLeft(b_, y))
        throw InvalidArgumentError(
            fmt::format("the mapping names '{}' or '{}' twice, or they are ignored", Printable(from), Printable(to)));
      Pair(x, y, "mapping");
    }
    if (options_.by_order) {
      MatchByOrder();
    } else {
      MatchByName();
      const std::size_t variables = MatchByVariable();
      if (variables > 0)
        result_.notes.push_back(fmt::format("{} tensor{} matched by the names of variables, where keys differ",
                                            variables, variables == 1 ? "" : "s"));
      Hint();
    }
    for (const TensorInfo* x : a_) rows_.push_back({.verdict = TensorVerdict::kOnlyInA, .a = x});
    for (const TensorInfo* y : b_) rows_.push_back({.verdict = TensorVerdict::kOnlyInB, .b = y});
    return std::move(rows_);
  }

 private:
  bool Ignored(const TensorInfo& info) const {
    return options_.ignore &&
           (options_.ignore(info.name) || (!info.variable.empty() && options_.ignore(info.variable)));
  }
  void Take(const TensorSource& from, const TensorSource& other, Infos& into) {
    for (const TensorInfo& info : from.tensors()) {
      if (Ignored(info)) {
        ++result_.ignored;
      } else if (info.bookkeeping) {
        if (!other.Find(info.name) && info.dtype != DType::kString)
          result_.notes.push_back(
              fmt::format("'{}' of '{}' is the checkpoint's own and set aside", Printable(info.name), from.path()));
      } else {
        into.push_back(&info);
      }
    }
  }
  // An object graph says how values were reached and a counter how often they were saved, not what they are.
  void CompareBookkeeping(const TensorSource& a, const TensorSource& b) {
    for (const TensorInfo& info : a.tensors()) {
      const TensorInfo* other = b.Find(info.name);
      if (!info.bookkeeping || Ignored(info) || !other || !other->bookkeeping) continue;
      const bool same = BitwiseEqual(a.Read(info), b.Read(*other));
      result_.notes.push_back(fmt::format("the {} {}", info.dtype == DType::kString ? "object graphs" : "save counters",
                                          same ? "are the same" : "differ, which changes no value of the model"));
    }
  }
  const TensorInfo* Mapped(const TensorSource& source, const std::string& name) const {
    if (const TensorInfo* info = source.Find(name)) return info;
    const TensorInfo* found = nullptr;
    std::vector<std::string> names;
    for (const TensorInfo& info : source.tensors()) {
      names.push_back(info.name);
      if (info.variable == name) found = &info;
    }
    if (found) return found;
    std::string near;
    for (const std::string& n : NearestNames(name, names, 3))
      near += fmt::format("{}'{}'", near.empty() ? "; near it: " : ", ", Printable(n));
    throw NotFoundError(
        fmt::format("the mapping names '{}', which '{}' does not have{}", Printable(name), source.path(), near));
  }
  static bool IsLeft(const Infos& left, const TensorInfo* info) { return std::ranges::find(left, info) != left.end(); }
  void Pair(const TensorInfo* x, const TensorInfo* y, const char* by) {
    rows_.push_back({.a = x, .b = y, .matched_by = by});
    std::erase(a_, x);
    std::erase(b_, y);
  }
  // Pairs tensors for which `partner` answers, in one sweep.
  template <class Partner>
  std::size_t Sweep(const Partner& partner, const char* by) {
    std::unordered_map<const TensorInfo*, bool> taken;
    Infos left;
    std::size_t count = 0;
    for (const TensorInfo* x : a_) {
      const TensorInfo* y = partner(*x);
      if (!y || !taken.emplace(y, true).second) {
        left.push_back(x);
        continue;
      }
      rows_.push_back({.a = x, .b = y, .matched_by = by});
      ++count;
    }
    a_ = std::move(left);
    std::erase_if(b_, [&](const TensorInfo* y) { return taken.contains(y); });
    return count;
  }
  void MatchByName() {
    std::unordered_map<std::string_view, const TensorInfo*> names;
    for (const TensorInfo* y : b_) names.emplace(y->name, y);
    Sweep([&](const TensorInfo& x) { return Lookup(names, x.name); }, "name");
  }
  static const TensorInfo* Lookup(const std::unordered_map<std::string_view, const TensorInfo*>& names,
                                  std::string_view name) {
    const auto it = names.find(name);
    return it == names.end() ? nullptr : it->second;
  }
  // Labels that one tensor alone has.
  static std::unordered_map<std::string_view, const TensorInfo*> Labels(const Infos& infos) {
    std::unordered_map<std::string_view, const TensorInfo*> labels;
    const auto put = [&](std::string_view label, const TensorInfo* info) {
      if (label.empty()) return;
      const auto [it, fresh] = labels.emplace(label, info);
      if (!fresh && it->second != info) it->second = nullptr;
    };
    for (const TensorInfo* info : infos) {
      put(info->name, info);
      put(info->variable, info);
    }
    return labels;
  }
  std::size_t MatchByVariable() {
    const auto mine = Labels(a_), theirs = Labels(b_);
    return Sweep(
        [&](const TensorInfo& x) -> const TensorInfo* {
          for (const std::string_view label : {std::string_view(x.variable), std::string_view(x.name)})
            if (const TensorInfo* y = Lookup(theirs, label); y && Lookup(mine, label) == &x) return y;
          return nullptr;
        },
        "variable");
  }
  void MatchByOrder() {
    std::map<std::vector<std::int64_t>, Infos> queues;
    for (const TensorInfo* y : b_) queues[y->shape].push_back(y);
    for (auto& [shape, queue] : queues) std::ranges::reverse(queue);
    Sweep(
        [&](const TensorInfo& x) -> const TensorInfo* {
          const auto it = queues.find(x.shape);
          if (it == queues.end() || it->second.empty()) return nullptr;
          const TensorInfo* y = it->second.back();
          it->second.pop_back();
          return y;
        },
        "order");
  }

  // What to try when names went nowhere: the commonest change of a beginning or an end that would join them.
  void Hint() {
    if (a_.empty() || b_.empty()) return;
    std::map<std::vector<std::int64_t>, std::int64_t> shapes;
    for (const TensorInfo* y : b_) ++shapes[y->shape];
    std::int64_t alike = 0;
    for (const TensorInfo* x : a_)
      if (const auto it = shapes.find(x->shape); it != shapes.end() && it->second-- > 0) ++alike;
    if (alike == 0) return;
    std::string text = fmt::format("{} unmatched tensor{} of A {} a namesake in shape only in B", alike,
                                   alike == 1 ? "" : "s", alike == 1 ? "has" : "have");
    constexpr std::size_t kMost = 300;
    std::map<std::array<std::string, 2>, std::size_t> beginnings, ends;
    for (const TensorInfo* x : Infos(a_.begin(), a_.begin() + Most(a_, kMost)))
      for (const TensorInfo* y : Infos(b_.begin(), b_.begin() + Most(b_, kMost))) {
        if (x->shape != y->shape) continue;
        const std::string &p = x->name, &q = y->name;
        const auto tail =
            static_cast<std::size_t>(std::mismatch(p.rbegin(), p.rend(), q.rbegin(), q.rend()).first - p.rbegin());
        const auto head =
            static_cast<std::size_t>(std::mismatch(p.begin(), p.end(), q.begin(), q.end()).first - p.begin());
        if (2 * tail >= p.size()) ++beginnings[{p.substr(0, p.size() - tail), q.substr(0, q.size() - tail)}];
        if (2 * head >= p.size()) ++ends[{p.substr(head), q.substr(head)}];
      }
    const auto best = [](const auto& votes) {
      return std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
    };
    for (const auto& [votes, where] : {std::pair(&beginnings, "begin"), {&ends, "end"}})
      if (const auto it = best(*votes); it != votes->end() && 2 * it->second >= std::min(a_.size(), kMost)) {
        text += fmt::format("; names of A {0} in '{1}' where those of B {0} in '{2}': write a --mapping", where,
                            Printable(it->first[0]), Printable(it->first[1]));
        result_.notes.push_back(std::move(text));
        return;
      }
    result_.notes.push_back(text + "; --by-order matches by shape and order, --mapping by a list of names");
  }
  static std::ptrdiff_t Most(const Infos& infos, std::size_t most) {
    return static_cast<std::ptrdiff_t>(std::min(infos.size(), most));
  }

  const SourceComparisonOptions& options_;
  SourceComparison& result_;
  Infos a_, b_;  // not matched yet
  std::vector<TensorRow> rows_;
};

TensorVerdict Judge(const Report& report) {
  if (!report.ok()) return TensorVerdict::kDiffers;
  if (report.nothing_compared) return TensorVerdict::kEmpty;
  return report.bitwise_equal ? TensorVerdict::kEqualBits : TensorVerdict::kWithin;
}
}  // namespace

std::string_view Name(TensorVerdict verdict) {
  constexpr std::string_view kNames[] = {"equal bits", "empty", "within tolerance", "differs",
                                         "dtype",      "shape", "only in A",        "only in B"};
  return kNames[static_cast<int>(verdict)];
}

std::size_t SourceComparison::Count(TensorVerdict verdict) const {
  return static_cast<std::size_t>(std::ranges::count(rows, verdict, &TensorRow::verdict));
}
bool SourceComparison::ok() const {
  return std::ranges::all_of(rows, [](const TensorRow& row) { return row.ok(); });
}

SourceComparison CompareSources(const TensorSource& a, const TensorSource& b, const SourceComparisonOptions& options) {
  SourceComparison result;
  result.rows = Matcher(a, b, options, result).Match(a, b);
  std::size_t done = 0;
  for (TensorRow& row : result.rows) {
    if (!row.a || !row.b) continue;
    if (options.progress)
      options.progress(fmt::format("{} of {}: {}", ++done, result.rows.size(), Printable(row.a->name)));
    if (row.a->shape != row.b->shape) {
      row.verdict = TensorVerdict::kShape;
    } else if (row.a->dtype != row.b->dtype) {
      row.verdict = TensorVerdict::kDtype;
    } else {
      row.report = Compare(a.Read(*row.a), b.Read(*row.b), options.tolerance);
      row.verdict = Judge(row.report);
      result.compared += row.report.compared;
    }
  }
  std::ranges::stable_sort(result.rows, [](const TensorRow& x, const TensorRow& y) {
    const auto key = [](const TensorRow& r) {
      return std::tuple(-static_cast<int>(r.verdict), -r.report.needed, -r.report.max_abs_error);
    };
    return key(x) < key(y);
  });
  return result;
}
}  // namespace equiv
