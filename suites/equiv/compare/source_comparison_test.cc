// Which tensors of two sources go together, and what is said of each pair.
#include "equiv/compare/source_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/base/error.h"

namespace equiv {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Tensors in memory that remembers how many were asked for at once.
class Memory final : public TensorSource {
 public:
  struct Item {
    std::string name;
    Array array;
    std::string variable = {};
    bool bookkeeping = false;
  };
  explicit Memory(const std::vector<Item>& items) : TensorSource("memory", "memory") {
    for (const Item& i : items) {
      Add({.name = i.name,
           .dtype = i.array.dtype(),
           .shape = i.array.shape().vector(),
           .variable = i.variable,
           .bookkeeping = i.bookkeeping});
      arrays_.push_back(i.array);
    }
  }
  using TensorSource::Read;
  Array Read(const TensorInfo& info) const override {
    ++reads;
    return arrays_[IndexOf(info)];
  }
  mutable int reads = 0;

 private:
  std::vector<Array> arrays_;
};

const Array kOne = Array::Scalar(1.0f), kTwo = Array::Scalar(2.0f), kPair = Array::Of<float>({2}, {1, 2});

// "a=b by name: equal bits", worst first.
std::vector<std::string> Rows(const SourceComparison& result) {
  std::vector<std::string> texts;
  for (const TensorRow& r : result.rows)
    texts.push_back((r.a ? r.a->name : "-") + "=" + (r.b ? r.b->name : "-") +
                    (r.matched_by.empty() ? "" : " by " + r.matched_by) + ": " + std::string(Name(r.verdict)));
  return texts;
}

TEST(CompareSources, ByNameThenByVariable) {
  const Memory keys({{"k/0", kOne, "w"}, {"k/1", kTwo, "v"}, {"same", kPair}});
  const Memory names({{"v", kTwo}, {"w", kOne}, {"same", kPair}});
  const SourceComparison result = CompareSources(keys, names, {});
  EXPECT_THAT(Rows(result), ElementsAre("same=same by name: equal bits", "k/0=w by variable: equal bits",
                                        "k/1=v by variable: equal bits"));
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.compared, 4);
  EXPECT_THAT(result.notes, ElementsAre("2 tensors matched by the names of variables, where keys differ"));
}
TEST(CompareSources, ANameThatTwoHaveMatchesNone) {
  const Memory a({{"k/0", kOne, "w"}, {"k/1", kOne, "w"}}), b({{"w", kOne}});
  EXPECT_THAT(Rows(CompareSources(a, b, {})), ElementsAre("-=w: only in B", "k/0=-: only in A", "k/1=-: only in A"));
  EXPECT_THAT(Rows(CompareSources(b, a, {})), ElementsAre("-=k/0: only in B", "-=k/1: only in B", "w=-: only in A"));
}
TEST(CompareSources, ByMappingBeforeNames) {
  const Memory a({{"x", kOne, "vx"}, {"y", kTwo}}), b({{"x", kTwo}, {"y", kOne}});
  EXPECT_THAT(Rows(CompareSources(a, b, {.mapping = {{"vx", "y"}, {"y", "x"}}})),
              ElementsAre("x=y by mapping: equal bits", "y=x by mapping: equal bits"));
  const auto why = [&](std::vector<std::pair<std::string, std::string>> mapping) -> std::string {
    try {
      CompareSources(a, b, {.mapping = std::move(mapping)});
    } catch (const Error& error) {
      return error.Describe();
    }
    return "accepted";
  };
  EXPECT_THAT(why({{"x", "z"}}), HasSubstr("NotFoundError: the mapping names 'z'"));
  EXPECT_THAT(why({{"x", "x"}, {"y", "x"}}), HasSubstr("InvalidArgumentError"));
}
TEST(CompareSources, ByOrderWithinEachShape) {
  const Memory a({{"a", kOne}, {"b", kPair}, {"c", kTwo}}), b({{"p", kPair}, {"q", kOne}, {"r", kTwo}, {"s", kTwo}});
  EXPECT_THAT(Rows(CompareSources(a, b, {.by_order = true})),
              ElementsAre("-=s: only in B", "a=q by order: equal bits", "b=p by order: equal bits",
                          "c=r by order: equal bits"));
}
TEST(CompareSources, WorstFirst) {
  const Memory a({{"near", kOne},
                  {"far", kOne},
                  {"farther", kOne},
                  {"type", kOne},
                  {"shape", kOne},
                  {"none", Array::Of<float>({0}, {})}});
  const Memory b({{"near", Array::Scalar(1.0000001f)},
                  {"far", kTwo},
                  {"farther", Array::Scalar(9.0f)},
                  {"type", Array::Scalar(1.0)},
                  {"shape", kPair},
                  {"none", Array::Of<float>({0}, {})}});
  const SourceComparison result = CompareSources(a, b, {.tolerance = Tolerance::Allclose(1e-5, 1e-8)});
  EXPECT_THAT(Rows(result), ElementsAre("shape=shape by name: shape", "type=type by name: dtype",
                                        "farther=farther by name: differs", "far=far by name: differs",
                                        "near=near by name: within tolerance", "none=none by name: empty"));
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.Count(TensorVerdict::kDiffers), 2u);
  EXPECT_EQ(a.reads, 4) << "what cannot agree is not read";
}
TEST(CompareSources, BookkeepingDecidesNothing) {
  const Array graph = Array::Strings({}, {"a graph"}), other = Array::Strings({}, {"another"});
  const Memory a({{"graph", graph, "", true}, {"counter", kOne, "", true}, {"w", kOne}});
  const Memory b({{"graph", other, "", true}, {"counter", kTwo, "", true}, {"w", kOne}});
  const SourceComparison result = CompareSources(a, b, {});
  EXPECT_THAT(Rows(result), ElementsAre("w=w by name: equal bits"));
  EXPECT_THAT(result.notes, ElementsAre("the object graphs differ, which changes no value of the model",
                                        "the save counters differ, which changes no value of the model"));
  EXPECT_THAT(CompareSources(a, a, {}).notes,
              ElementsAre("the object graphs are the same", "the save counters are the same"));
  EXPECT_THAT(CompareSources(a, Memory({{"w", kOne}}), {}).notes,
              ElementsAre("'counter' of 'memory' is the checkpoint's own and set aside"));
}
TEST(CompareSources, IgnoredTensorsAreCounted) {
  const Memory a({{"x", kOne}, {"k", kTwo, "y"}}), b({{"x", kOne}, {"z", kTwo}});
  const SourceComparison result = CompareSources(a, b, {.ignore = [](std::string_view name) { return name != "x"; }});
  EXPECT_THAT(Rows(result), ElementsAre("x=x by name: equal bits"));
  EXPECT_EQ(result.ignored, 2u);
}
TEST(CompareSources, HintsAtWhatWouldJoinTheNames) {
  const Memory a({{"old/dense/w", kOne}, {"old/dense/v", kPair}}),
      b({{"new/net/dense/w", kOne}, {"new/net/dense/v", kPair}});
  EXPECT_THAT(
      CompareSources(a, b, {}).notes,
      ElementsAre(
          "2 unmatched tensors of A have a namesake in shape only in B; names of A begin in 'old' where those of B "
          "begin in 'new/net': write a --mapping"));
  EXPECT_THAT(CompareSources(a, Memory({{"q", Array::Scalar(1)}}), {}).notes, SizeIs(testing::Le(1u)));
  EXPECT_THAT(CompareSources(a, Memory({}), {}).notes, IsEmpty());
}
}  // namespace
}  // namespace equiv
