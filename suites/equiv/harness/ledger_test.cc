#include "equiv/harness/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace equiv {
namespace {
using testing::HasSubstr;

DrawRecord Draw(std::int64_t seed2, std::string owner, std::uint64_t hash, Shape shape = {2, 3}) {
  DrawRecord d;
  d.sequence = seed2;
  d.kind = "RandomUniform";
  d.seed = 42;
  d.seed2 = seed2;
  d.shape = shape;
  d.owner = std::move(owner);
  d.call_site = "model.cc:7";
  d.first_values = {0.5, 0.25};
  d.hash = hash << 32;
  return d;
}
std::vector<DrawStatus> Statuses(const std::vector<DrawRow>& rows) {
  std::vector<DrawStatus> s;
  for (const DrawRow& r : rows) s.push_back(r.status);
  return s;
}

TEST(AlignDraws, EqualLedgersAreAligned) {
  const std::vector<DrawRecord> a = {Draw(0, "a/w", 1), Draw(1, "b/w", 2)};
  EXPECT_TRUE(AllAligned(AlignDraws(a, a)));
}
TEST(AlignDraws, ExchangedSeedsAreSwapped) {
  const std::vector<DrawRecord> a = {Draw(0, "a/w", 1), Draw(1, "b/w", 2)}, b = {Draw(0, "b/w", 3), Draw(1, "a/w", 4)};
  EXPECT_THAT(Statuses(AlignDraws(a, b)), testing::ElementsAre(DrawStatus::kSwapped, DrawStatus::kSwapped));
}
TEST(AlignDraws, AnExtraDrawShiftsTheFollowingOnes) {
  const std::vector<DrawRecord> a = {Draw(0, "a/w", 1), Draw(1, "b/w", 2)};
  const std::vector<DrawRecord> b = {Draw(0, "a/w", 1), Draw(1, "noise", 9, {5}), Draw(2, "b/w", 3)};
  EXPECT_THAT(Statuses(AlignDraws(a, b)),
              testing::ElementsAre(DrawStatus::kAligned, DrawStatus::kExtra, DrawStatus::kMoved));
  EXPECT_THAT(Statuses(AlignDraws(b, a)),
              testing::ElementsAre(DrawStatus::kAligned, DrawStatus::kMissing, DrawStatus::kMoved));
}
TEST(AlignDraws, SameSeedOtherBitsDiffers) {
  const std::vector<DrawRecord> a = {Draw(0, "a/w", 1)}, b = {Draw(0, "a/w", 2)};
  EXPECT_THAT(Statuses(AlignDraws(a, b)), testing::ElementsAre(DrawStatus::kDiffers));
}
TEST(AlignDraws, OwnersMayBeNamedDifferently) {
  const std::vector<DrawRecord> a = {Draw(0, "a/w", 1)}, b = {Draw(0, "z/kernel", 1)};
  EXPECT_TRUE(AllAligned(AlignDraws(a, b)));
}
TEST(LedgerText, NamesBothSidesOfAMisalignedDraw) {
  const std::vector<DrawRecord> a = {Draw(0, "a/w", 1), Draw(1, "b/w", 2)}, b = {Draw(0, "a/w", 1)};
  const std::vector<DrawRow> rows = AlignDraws(a, b);
  EXPECT_EQ(LedgerText(rows, "session", "eager", true),
            "draws: 2 rows, 1 aligned, 1 missing\n"
            "  missing  'b/w' (model.cc:7)\n"
            "    session: op seed 1 RandomUniform float32[2,3] [0.5 0.25] #00000002\n"
            "    eager: no such draw\n");
}
TEST(LedgerText, CountsWhatItLeavesOut) {
  std::vector<DrawRecord> a;
  for (int i = 0; i < 5; ++i) a.push_back(Draw(i, "w" + std::to_string(i), 1, {i + 1}));
  const std::vector<DrawRow> rows = AlignDraws(a, {});
  EXPECT_THAT(LedgerText(rows, "x", "y", true, 2), HasSubstr("... and 3 more"));
}
}  // namespace
}  // namespace equiv
