#include "equiv/harness/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace equiv {
namespace {
using Key = std::tuple<std::string, std::string, DType, std::string>;

Key KeyOf(const DrawRecord& d, bool with_owner) {
  return {with_owner ? d.owner : std::string(), d.kind, d.dtype, d.shape.ToString()};
}

// partner[i]: index in `actual` drawn by the same op of the program, or -1. First by owner, then by kind and shape
// alone.
std::vector<int> Match(const std::vector<DrawRecord>& expected, const std::vector<DrawRecord>& actual) {
  std::vector<int> partner(expected.size(), -1);
  std::vector<bool> taken(actual.size(), false);
  for (const bool with_owner : {true, false}) {
    std::map<Key, std::vector<int>> open;
    for (std::size_t j = actual.size(); j-- > 0;)
      if (!taken[j]) open[KeyOf(actual[j], with_owner)].push_back(static_cast<int>(j));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (partner[i] >= 0) continue;
      auto it = open.find(KeyOf(expected[i], with_owner));
      if (it == open.end() || it->second.empty()) continue;
      partner[i] = it->second.back();
      it->second.pop_back();
      taken[static_cast<std::size_t>(partner[i])] = true;
    }
  }
  return partner;
}
bool SameSeeds(const DrawRecord& a, const DrawRecord& b) { return a.seed == b.seed && a.seed2 == b.seed2; }
}  // namespace

std::string_view Name(DrawStatus status) {
  switch (status) {
    case DrawStatus::kAligned:
      return "aligned";
    case DrawStatus::kSwapped:
      return "swapped";
    case DrawStatus::kMoved:
      return "moved";
    case DrawStatus::kDiffers:
      return "differs";
    case DrawStatus::kMissing:
      return "missing";
    case DrawStatus::kExtra:
      return "extra";
  }
  return "";
}

std::vector<DrawRow> AlignDraws(const std::vector<DrawRecord>& expected, const std::vector<DrawRecord>& actual) {
  const std::vector<int> partner = Match(expected, actual);
  std::vector<bool> taken(actual.size(), false);
  for (int j : partner)
    if (j >= 0) taken[static_cast<std::size_t>(j)] = true;
  std::vector<DrawRow> rows;
  std::size_t next_extra = 0;
  auto flush_extras = [&](std::size_t until) {
    for (; next_extra < until; ++next_extra)
      if (!taken[next_extra]) rows.push_back({DrawStatus::kExtra, nullptr, &actual[next_extra]});
  };
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (partner[i] < 0) {
      rows.push_back({DrawStatus::kMissing, &expected[i], nullptr});
      continue;
    }
    const DrawRecord& other = actual[static_cast<std::size_t>(partner[i])];
    flush_extras(static_cast<std::size_t>(partner[i]));
    DrawStatus status = DrawStatus::kMoved;
    if (SameSeeds(expected[i], other))
      status = expected[i].hash == other.hash ? DrawStatus::kAligned : DrawStatus::kDiffers;
    rows.push_back({status, &expected[i], &other});
  }
  flush_extras(actual.size());
  for (DrawRow& row : rows) {
    if (row.status != DrawStatus::kMoved) continue;
    for (const DrawRow& other : rows)
      if (other.expected && other.actual && &other != &row && SameSeeds(*row.expected, *other.actual) &&
          SameSeeds(*row.actual, *other.expected))
        row.status = DrawStatus::kSwapped;
  }
  return rows;
}

bool AllAligned(const std::vector<DrawRow>& rows) {
  return std::ranges::all_of(rows, [](const DrawRow& r) { return r.status == DrawStatus::kAligned; });
}

std::string DrawText(const DrawRecord& d) {
  std::string values;
  for (double v : d.first_values) values += fmt::format("{}{:.7g}", values.empty() ? "" : " ", v);
  return fmt::format("op seed {} {} {}{} [{}] #{:08x}", d.seed2, d.kind, Name(d.dtype), d.shape.ToString(), values,
                     static_cast<std::uint32_t>(d.hash >> 32));
}

std::string LedgerText(const std::vector<DrawRow>& rows, const std::string& expected_name,
                       const std::string& actual_name, bool only_misaligned, std::size_t max_rows) {
  std::map<DrawStatus, int> counts;
  for (const DrawRow& row : rows) ++counts[row.status];
  std::string text = fmt::format("draws: {} rows", rows.size());
  for (const auto& [status, n] : counts) text += fmt::format(", {} {}", n, Name(status));
  text += "\n";
  std::size_t printed = 0, left_out = 0;
  for (const DrawRow& row : rows) {
    if (only_misaligned && row.status == DrawStatus::kAligned) continue;
    if (printed == max_rows) {
      ++left_out;
      continue;
    }
    ++printed;
    const DrawRecord& any = row.expected ? *row.expected : *row.actual;
    text += fmt::format("  {:<8} '{}'{}\n", Name(row.status), any.owner,
                        any.call_site.empty() ? "" : " (" + any.call_site + ")");
    if (row.status == DrawStatus::kAligned) {
      text += fmt::format("    both: {}\n", DrawText(any));
      continue;
    }
    text += fmt::format("    {}: {}\n", expected_name, row.expected ? DrawText(*row.expected) : "no such draw");
    text += fmt::format("    {}: {}\n", actual_name, row.actual ? DrawText(*row.actual) : "no such draw");
  }
  if (left_out) text += fmt::format("  ... and {} more\n", left_out);
  return text;
}
}  // namespace equiv
