#include "equiv/compare/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>

#include "equiv/gtest/matchers.h"
#include "kernels/base/thread_pool.h"

namespace equiv {
namespace {
using testing::HasSubstr;
using testing::Not;
constexpr float kInf = std::numeric_limits<float>::infinity();
const float kNan = std::numeric_limits<float>::quiet_NaN();
const Tolerance kClose = Tolerance::Allclose(1e-6, 1e-5);

Array Row(std::initializer_list<float> values) {
  return Array::Of<float>({static_cast<std::int64_t>(values.size())}, values);
}

TEST(Compare, AllcloseScalesWithTheExpectedValue) {
  EXPECT_TRUE(Compare(Row({100}), Row({110}), Tolerance::Allclose(0.1, 0)).ok());
  EXPECT_FALSE(Compare(Row({100}), Row({110.1f}), Tolerance::Allclose(0.1, 0)).ok());
  EXPECT_FALSE(Compare(Row({0}), Row({1e-4f}), Tolerance::Allclose(1, 0)).ok());
}
TEST(Compare, NaNEqualsNaNOnly) {
  EXPECT_TRUE(Compare(Row({kNan}), Row({kNan}), kClose).ok());
  EXPECT_FALSE(Compare(Row({kNan}), Row({1}), Tolerance::Allclose(1, 1e30)).ok());
  EXPECT_FALSE(Compare(Row({1}), Row({kNan}), Tolerance::Ulp(std::numeric_limits<std::int64_t>::max())).ok());
}
TEST(Compare, InfinitiesOfOneSignAreEqual) {
  EXPECT_TRUE(Compare(Row({kInf, -kInf}), Row({kInf, -kInf}), kClose).ok());
  EXPECT_FALSE(Compare(Row({kInf}), Row({-kInf}), Tolerance::Allclose(1, 1e38)).ok());
  EXPECT_FALSE(Compare(Row({kInf}), Row({3e38f}), Tolerance::Allclose(1, 1e38)).ok());
}
TEST(Compare, ZerosAndSubnormals) {
  const float tiny = std::bit_cast<float>(1u);
  EXPECT_TRUE(Compare(Row({0.0f}), Row({-0.0f}), Tolerance::Ulp(0)).ok());
  EXPECT_FALSE(Compare(Row({0.0f}), Row({-0.0f}), Tolerance::Bitwise()).ok());
  EXPECT_FALSE(Compare(Row({0.0f}), Row({tiny}), Tolerance::Ulp(0)).ok());
  EXPECT_TRUE(Compare(Row({0.0f}), Row({tiny}), Tolerance::Ulp(1)).ok());
  EXPECT_TRUE(Compare(Row({-tiny}), Row({tiny}), Tolerance::Ulp(2)).ok());
  EXPECT_TRUE(Compare(Row({-1e-9f}), Row({1e-9f}), Tolerance::Ulp(4, 1e-8)).ok());
}
TEST(Compare, BitwiseSeesNaNPayloads) {
  const float other = std::bit_cast<float>(std::bit_cast<std::uint32_t>(kNan) ^ 1u);
  EXPECT_TRUE(Compare(Row({kNan}), Row({other}), kClose).ok());
  EXPECT_FALSE(Compare(Row({kNan}), Row({other}), Tolerance::Bitwise()).ok());
}
TEST(Compare, UlpDistanceCountsRepresentableValues) {
  EXPECT_EQ(UlpDistance(1.0f, std::nextafter(1.0f, 2.0f)), 1);
  EXPECT_EQ(UlpDistance(-1.0, std::nextafter(std::nextafter(-1.0, 0.0), 0.0)), 2);
  EXPECT_EQ(UlpDistance(0.0f, -0.0f), 0);
  EXPECT_EQ(UlpDistance(kNan, 1.0f), std::numeric_limits<std::int64_t>::max());
}
TEST(Compare, IntegersDoNotOverflow) {
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min(), kMax = std::numeric_limits<std::int64_t>::max();
  const Report r = Compare(Array::Scalar(kMin), Array::Scalar(kMax), Tolerance::Allclose(0, 1));
  EXPECT_FALSE(r.ok());
  EXPECT_EQ(r.max_abs_error, 18446744073709551615.0);
  EXPECT_TRUE(Compare(Array::Scalar(std::uint8_t{3}), Array::Scalar(std::uint8_t{5}), Tolerance::Ulp(2)).ok());
  EXPECT_FALSE(Compare(Array::Scalar(true), Array::Scalar(false), kClose).ok());
}
TEST(Compare, HalfPrecisionHasItsOwnSteps) {
  const Array one = Array::Scalar(BFloat16(1.0f)), next = Array::Scalar(BFloat16(1.0078125f));
  EXPECT_TRUE(Compare(one, next, Tolerance::Ulp(1)).ok());
  EXPECT_FALSE(Compare(one, next, Tolerance::Ulp(0)).ok());
}
TEST(Compare, ShapesAndDtypesMustAgree) {
  const Report shapes = Compare(Row({1, 2}), Row({1, 2, 3}), kClose);
  EXPECT_FALSE(shapes.ok());
  EXPECT_EQ(shapes.ToString(), "shapes differ: expected [2], actual [3]\n");
  EXPECT_EQ(Compare(Row({1}), Array::Of<double>({1}, {1.0}), kClose).ToString(),
            "dtypes differ: expected float32, actual float64\n");
}
TEST(Compare, EmptyTensorsCompareNothing) {
  const Report r = Compare(Row({}), Row({}), kClose);
  EXPECT_TRUE(r.nothing_compared);
  EXPECT_THAT(r.ToString(), HasSubstr("no element was compared"));
}
TEST(Compare, ConstantsAreNoticed) {
  EXPECT_TRUE(Compare(Row({2, 2, 2}), Row({2, 2, 2}), kClose).all_equal_constant);
  EXPECT_FALSE(Compare(Row({2, 2, 3}), Row({2, 2, 3}), kClose).all_equal_constant);
  EXPECT_FALSE(Compare(Row({2, 2}), Row({2, 2.0000002f}), kClose).all_equal_constant);
}
TEST(Compare, AFailureSaysWhereAndHowMuch) {
  const Array expected = Array::Of<float>({2, 2}, {1.0f, 2.0f, 4.0f, kNan}),
              actual = Array::Of<float>({2, 2}, {1.0f, 2.5f, 4.0000005f, 1.0f});
  EXPECT_EQ(Compare(expected, actual, kClose).ToString(),
            "2 of 4 elements (float32 [2,2], 50 %) differ beyond rtol 1e-06, atol 1e-05\n"
            "  worst absolute error: 0.5 at [0,1]: expected 2.0, actual 2.5\n"
            "  worst relative error: 0.25 at [0,1]: expected 2.0, actual 2.5\n"
            "  worst ULP error: 2097152.0 at [0,1]: expected 2.0, actual 2.5\n"
            "  first difference at [0,1]\n"
            "  NaN: 1 expected, 0 actual\n"
            "  needed: no atol would pass, NaN or infinities differ; allowed 1e-05\n");
}
TEST(Compare, NeighboursPrintApart) {
  const float next = std::nextafter(0.1f, 1.0f);
  EXPECT_THAT(Compare(Row({0.1f}), Row({next}), Tolerance::Ulp(0)).ToString(),
              HasSubstr("expected 0.1, actual 0.10000001"));
}
TEST(Compare, NeededAtolIsTheSmallestThatPasses) {
  const Array e = Row({1, 10}), a = Row({1.25f, 10.5f});
  const Report r = Compare(e, a, Tolerance::Allclose(0.01, 0.1));
  EXPECT_TRUE(Compare(e, a, Tolerance::Allclose(0.01, r.needed)).ok());
  EXPECT_FALSE(Compare(e, a, Tolerance::Allclose(0.01, r.needed * 0.999)).ok());
}
TEST(Compare, AMillionElementsAtAnyThreadCount) {
  Array e = Array::Full<float>({1000, 1000}, 1.0f), a = e.Copy();
  for (std::int64_t i : {5, 70000, 999999}) a.mutable_data<float>()[i] = 2.0f;  // ties: the first one is reported
  std::vector<std::string> texts;
  for (int threads : {1, 2, 3}) {
    ThreadPool::SetDefaultThreads(threads);
    texts.push_back(Compare(e, a, kClose).ToString());
  }
  ThreadPool::SetDefaultThreads(2);
  EXPECT_THAT(texts[0], HasSubstr("3 of 1000000 elements"));
  EXPECT_THAT(texts[0], HasSubstr("at [0,5]"));
  EXPECT_EQ(texts[0], texts[1]);
  EXPECT_EQ(texts[0], texts[2]);
  EXPECT_LE(std::ranges::count(texts[0], '\n'), 30);
}
TEST(Compare, NegativeTolerancesAreRefused) {
  EXPECT_THROW(Tolerance::Allclose(-1, 0), ValueError);
  EXPECT_THROW(Tolerance::Allclose(0, kNan), ValueError);
  EXPECT_THROW(Tolerance::Ulp(-1), ValueError);
}
template <class F>
Array Complex(DType dtype, std::initializer_list<std::complex<F>> values) {
  Array a(dtype, {static_cast<std::int64_t>(values.size())});
  std::memcpy(a.raw(), values.begin(), a.num_bytes());
  return a;
}
Array C64(std::initializer_list<std::complex<float>> values) { return Complex<float>(DType::kComplex64, values); }

TEST(Compare, StringsAreComparedByteForByte) {
  const Array a = Array::Strings({3}, {"same", std::string("a\0b", 3), ""});
  EXPECT_TRUE(Compare(a, a, kClose).bitwise_equal);
  const Report r = Compare(a, Array::Strings({3}, {"same", std::string("a\0c", 3), ""}), Tolerance::Allclose(1, 1));
  EXPECT_FALSE(r.ok());
  EXPECT_EQ(r.ToString(),
            "1 of 3 strings ([3]) differ\n"
            "  first difference at [1], byte 2: expected 'a\\x00b' (3 bytes), actual 'a\\x00c' (3 bytes)\n");
  EXPECT_TRUE(Compare(Array::Strings({2}, {"x", "x"}), Array::Strings({2}, {"x", "x"}), kClose).all_equal_constant);
  const std::string head(100, 'h');
  EXPECT_THAT(Compare(Array::Strings({}, {head + "1"}), Array::Strings({}, {head + "2"}), kClose).ToString(),
              HasSubstr("at [], byte 100: expected ...'hhhhhhhhhhhhhhhhhhhhhhhh1' (101 bytes)"));
}
TEST(Compare, ComplexNumbersByTheModulusOfTheDifference) {
  // As numpy.allclose: |(3+4j) - (3.3+4.4j)| = 0.5.
  const Array e = C64({{3, 4}, {0, 0}}), a = C64({{3.3f, 4.4f}, {0, 0}});
  EXPECT_TRUE(Compare(e, a, Tolerance::Allclose(0, 0.51)).ok());
  EXPECT_FALSE(Compare(e, a, Tolerance::Allclose(0, 0.49)).ok());
  EXPECT_TRUE(Compare(e, a, Tolerance::Allclose(0.11, 0)).ok());
  EXPECT_FALSE(Compare(e, a, Tolerance::Allclose(0.09, 0)).ok());
  const Report r = Compare(e, a, Tolerance::Allclose(0, 0.1));
  EXPECT_NEAR(r.max_abs_error, 0.5, 1e-6);
  EXPECT_NEAR(r.relative.error, 0.1, 1e-6);
  EXPECT_THAT(r.ToString(), HasSubstr("at [0]: expected (3.0+4.0j), actual (3.3+4.4j)"));
  EXPECT_THAT(Compare(C64({{1, -2}}), C64({{1, -3}}), kClose).ToString(), HasSubstr("expected (1.0-2.0j)"));
}
TEST(Compare, ComplexSpecialValues) {
  EXPECT_TRUE(Compare(C64({{kNan, 1}}), C64({{2, kNan}}), kClose).ok());  // numpy.isnan of both
  EXPECT_FALSE(Compare(C64({{kNan, 1}}), C64({{1, 1}}), Tolerance::Allclose(1, 1e30)).ok());
  EXPECT_TRUE(Compare(C64({{kInf, 1}}), C64({{kInf, 1}}), kClose).ok());
  EXPECT_FALSE(Compare(C64({{kInf, 1}}), C64({{kInf, 2}}), Tolerance::Allclose(1, 1e30)).ok());
  EXPECT_TRUE(Compare(C64({{0, -0.0f}}), C64({{-0.0f, 0}}), Tolerance::Ulp(0)).ok());
  EXPECT_FALSE(Compare(C64({{0, -0.0f}}), C64({{-0.0f, 0}}), Tolerance::Bitwise()).ok());
  EXPECT_EQ(Compare(C64({{kNan, 1}, {kInf, 0}}), C64({{1, 1}, {kInf, 0}}), kClose).expected_nan, 1);
  const float next = std::nextafter(1.0f, 2.0f);
  EXPECT_TRUE(Compare(C64({{1, 1}}), C64({{next, 1}}), Tolerance::Ulp(1)).ok());
  EXPECT_FALSE(Compare(C64({{1, 1}}), C64({{1, std::nextafter(next, 2.0f)}}), Tolerance::Ulp(1)).ok());
  const Array big = Complex<double>(DType::kComplex128, {{1e300, 1e300}});
  EXPECT_TRUE(Compare(big, big, Tolerance::Allclose(0, 0)).bitwise_equal);
}
TEST(Compare, TypesThatAreOnlyStored) {
  const auto bytes = [](DType dtype, std::initializer_list<int> values) {
    Array a(dtype, {static_cast<std::int64_t>(values.size())});
    std::ranges::transform(values, a.raw(), [](int v) { return static_cast<std::byte>(v); });
    return a;
  };
  // 1.0 and 1.25; 1.0 and 1.125; NaN.
  EXPECT_EQ(Compare(bytes(DType::kFloat8E5M2, {0x3c}), bytes(DType::kFloat8E5M2, {0x3d}), kClose).max_abs_error, 0.25);
  EXPECT_EQ(Compare(bytes(DType::kFloat8E4M3FN, {0x38}), bytes(DType::kFloat8E4M3FN, {0x39}), kClose).max_abs_error,
            0.125);
  EXPECT_EQ(Compare(bytes(DType::kFloat8E4M3FN, {0x01}), bytes(DType::kFloat8E4M3FN, {0x00}), kClose).max_abs_error,
            std::ldexp(1.0, -9));
  EXPECT_TRUE(Compare(bytes(DType::kFloat8E4M3FN, {0x7f}), bytes(DType::kFloat8E4M3FN, {0xff}), kClose).ok());
  EXPECT_EQ(Compare(bytes(DType::kQInt8, {0xff}), bytes(DType::kQInt8, {0x01}), kClose).max_abs_error, 2);
  EXPECT_EQ(Compare(bytes(DType::kQUInt8, {0xff}), bytes(DType::kQUInt8, {0x01}), kClose).max_abs_error, 254);
  // A bool of a file may be any byte but zero.
  EXPECT_TRUE(Compare(bytes(DType::kBool, {2}), bytes(DType::kBool, {1}), kClose).ok());
  EXPECT_FALSE(Compare(bytes(DType::kBool, {2}), bytes(DType::kBool, {1}), Tolerance::Bitwise()).ok());
  EXPECT_THROW(
      Compare(Array::Resource(std::shared_ptr<Variable>()), Array::Resource(std::shared_ptr<Variable>()), kClose),
      UnimplementedError);
}
TEST(Matcher, ExplainsItself) {
  EXPECT_THAT(Row({1, 2}), NumericallyEquivalentTo(Row({1, 2})));
  EXPECT_THAT(Value(Row({1, 2})), NumericallyEquivalentTo(Row({1, 2.5f}), Tolerance::Allclose(0, 1)));
  EXPECT_THAT(Row({1, 2}), Not(NumericallyEquivalentTo(Row({1, 3}))));
  testing::StringMatchResultListener listener;
  EXPECT_FALSE(testing::ExplainMatchResult(NumericallyEquivalentTo(Row({1, 3})), Row({1, 2}), &listener));
  EXPECT_THAT(listener.str(), HasSubstr("1 of 2 elements"));
}
}  // namespace
}  // namespace equiv
