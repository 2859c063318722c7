// What cannot be recorded from single calls of TensorFlow: variables without a value, types without a kernel, ops that
// print, calls that crash TensorFlow.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "kernels/base/resource.h"
#include "suites/kernels/cpu_compute/op_runner.h"

namespace equiv::test {
namespace {
using testing::AllOf;
using testing::HasSubstr;
const DType kF = DType::kFloat32, kI = DType::kInt32;

template <class E>
void ExpectRefused(const std::string& op, const std::vector<Array>& inputs, const AttrMap& attrs,
                   const std::string& text) {
  for (const bool check_shapes : {false, true})
    EXPECT_THAT(Refused<E>([&] { RunOp(op, inputs, attrs, 1, check_shapes); }),
                AllOf(HasSubstr("[" + op + "] 'node': "), HasSubstr(text)))
        << check_shapes;
}
Array Handle(DType dtype = kF, const PartialShape& shape = PartialShape{3, 2}) {
  return Array::Resource(std::make_shared<Variable>("v", dtype, shape));
}
Array HandleOf(const Array& value) {
  Array handle = Handle(value.dtype(), value.shape());
  handle.variable()->Assign(value, "test");
  return handle;
}
Array Floats(const Shape& shape) { return RandomArray<float>(shape, 1); }

TEST(Refusals, VariablesWithoutAValue) {
  const Array rows = Axes({0}), elements = rows.Reshaped({1, 1}), update = Floats({1, 2});
  const std::string no_resource = "Resource localhost/v does not exist";
  for (const char* op : {"ResourceScatterUpdate", "ResourceScatterAdd", "ResourceScatterMax"})
    ExpectRefused<NotFoundError>(op, {Handle(), rows, update}, {}, no_resource);
  for (const char* op : {"ResourceScatterNdUpdate", "ResourceScatterNdAdd"})
    ExpectRefused<NotFoundError>(op, {Handle(), elements, update}, {}, no_resource);
  ExpectRefused<NotFoundError>("ResourceGather", {Handle(), rows}, {{"dtype", kF}}, no_resource);
  ExpectRefused<NotFoundError>("ResourceGatherNd", {Handle(), elements}, {{"dtype", kF}}, no_resource);
  ExpectRefused<NotFoundError>("VariableShape", {Handle()}, {}, no_resource);
  ExpectRefused<NotFoundError>("DestroyResourceOp", {Handle()}, {{"ignore_lookup_error", false}}, no_resource);
  const std::string no_value = "Attempting to use uninitialized value v";
  ExpectRefused<FailedPreconditionError>("ScatterAdd", {Handle(), rows, update}, {}, no_value);
  ExpectRefused<FailedPreconditionError>("ScatterNdSub", {Handle(), elements, update}, {}, no_value);
  ExpectRefused<FailedPreconditionError>("AssignAdd", {Handle(), Floats({3, 2})}, {}, no_value);
  ExpectRefused<FailedPreconditionError>("CountUpTo", {Handle(kI, Shape{})}, {{"limit", std::int64_t{3}}}, no_value);
}

TEST(Refusals, VariablesKeepTheirValueWhenAnUpdateIsRefused) {
  const Array value = Floats({3, 2}), handle = HandleOf(value), update = Floats({2, 2});
  for (const std::int32_t outside : {3, -1, std::numeric_limits<std::int32_t>::max()}) {
    const Array rows = Axes({0, outside});
    ExpectRefused<InvalidArgumentError>("ResourceScatterAdd", {handle, rows, update}, {},
                                        "indices[1] = " + std::to_string(outside) + " is not in [0, 3)");
    ExpectRefused<InvalidArgumentError>("ScatterSub", {handle, rows, update}, {}, "is not in [0, 3)");
    ExpectRefused<InvalidArgumentError>("ResourceScatterNdAdd", {handle, rows.Reshaped({2, 1}), update}, {},
                                        "indices[1] = [" + std::to_string(outside) + "] does not index into");
    ExpectRefused<InvalidArgumentError>("ResourceGather", {handle, rows}, {{"dtype", kF}}, "is not in [0, 3)");
    ExpectRefused<InvalidArgumentError>("ResourceGatherNd", {handle, rows.Reshaped({2, 1})}, {{"dtype", kF}},
                                        "does not index into");
  }
  ExpectRefused<InvalidArgumentError>("ResourceScatterAdd", {handle, Axes({0}), Floats({1, 3})}, {}, "");
  ExpectRefused<InvalidArgumentError>("ResourceScatterAdd", {HandleOf(Array::Scalar(1.0F)), Axes({0}), Floats({1})}, {},
                                      "");
  ExpectRefused<InvalidArgumentError>("ResourceScatterDiv", {handle, Axes({0}), Array(kF, {1, 2})}, {}, "contain 0");
  ExpectRefused<InvalidArgumentError>("ResourceScatterAdd", {handle, Axes({0}), Axes({1, 2}).Reshaped({1, 2})}, {},
                                      "holds float32, got updates of dtype int32");
  ExpectRefused<InvalidArgumentError>("ResourceGather", {handle, Axes({0})}, {{"dtype", kI}}, "wrong dtype");
  EXPECT_TRUE(BitwiseEqual(handle.variable()->Read("test"), value));
}

TEST(Refusals, CountersStopAtTheirLimit) {
  const Array counter = HandleOf(Array::Scalar<std::int32_t>(1));
  const AttrMap to_two{{"limit", std::int64_t{2}}, {"T", kI}};
  EXPECT_EQ(RunOp("ResourceCountUpTo", {counter}, to_two)[0].AsInt64Vector()[0], 1);
  ExpectRefused<OutOfRangeError>("ResourceCountUpTo", {counter}, to_two, "Reached limit of 2");
  ExpectRefused<OutOfRangeError>("CountUpTo", {counter}, {{"limit", std::int64_t{2}}}, "Reached limit of 2");
  ExpectRefused<InvalidArgumentError>("CountUpTo", {HandleOf(Axes({1}))}, {{"limit", std::int64_t{2}}},
                                      "input is not a scalar");
}

TEST(Variables, Destroyed) {
  const Array handle = HandleOf(Floats({2}));
  RunOp("DestroyResourceOp", {handle});
  EXPECT_FALSE(RunOp("VarIsInitializedOp", {handle})[0].data<bool>()[0]);
  EXPECT_NO_THROW(RunOp("DestroyResourceOp", {handle}));
}
TEST(Variables, ReferencesAreHandedOn) {
  const Array handle = HandleOf(Floats({3, 2}));
  EXPECT_EQ(RunOp("RefIdentity", {handle})[0].variable(), handle.variable());
  EXPECT_EQ(RunOp("ScatterAdd", {handle, Axes({0}), Floats({1, 2})})[0].variable(), handle.variable());
  EXPECT_EQ(Infer("ScatterAdd", {Shape{3, 2}, Shape{1}, Shape{1, 2}}, {}, {kF, kI, kF})[0], (PartialShape{3, 2}));
  EXPECT_EQ(Infer("Variable", {}, {{"shape", PartialShape(Shape{})}, {"dtype", kF}}, {})[0], PartialShape::Unknown());
  EXPECT_EQ(Infer("VariableV2", {}, {{"shape", PartialShape(Shape{})}, {"dtype", kF}}, {})[0], PartialShape(Shape{}));
}

TEST(Refusals, TypesWithoutAKernel) {
  const Array complex(DType::kComplex64, {2});
  for (const char* op : {"AddV2", "Mul", "Pow"})
    ExpectRefused<UnimplementedError>(op, {complex, complex}, {}, "has no CPU kernel for complex64");
  for (const char* op : {"Exp", "Sqrt", "Tanh", "Reciprocal"})
    ExpectRefused<UnimplementedError>(op, {complex}, {}, "complex64");
  ExpectRefused<UnimplementedError>("Sum", {complex, Axes({0})}, {}, "complex64");
  ExpectRefused<UnimplementedError>("ScatterNd", {Axes({0}).Reshaped({1, 1}), Array(DType::kComplex64, {1}), Axes({2})},
                                    {}, "complex64");
  EXPECT_THAT(Refused<TypeError>([&] {
                RunOp("AddV2", {Array(DType::kBool, {2}), Array(DType::kBool, {2})});
              }),
              HasSubstr("not in list of allowed values"));
}

// TensorFlow aborts, or says that its own message is unexpected.
TEST(Refusals, WhatTensorFlowDoesNotSurvive) {
  const Array x = Floats({2, 3});
  for (const char* equation : {"...i...->i", "i...->...i...", "i->ijk.", "ij->ik"})
    EXPECT_THAT(Refused<InvalidArgumentError>([&] {
                  RunOp("Einsum", {x}, {{"equation", std::string(equation)}}, 1, false);
                }),
                HasSubstr("[Einsum] 'node': "))
        << equation;
  for (const char* op : {"TruncateDiv", "TruncateMod"})
    ExpectRefused<InvalidArgumentError>(op, {Axes({1}), Axes({0})}, {}, "Integer division by zero");
  const auto least = std::numeric_limits<std::int32_t>::min();
  EXPECT_EQ(RunOp("TruncateDiv", {Axes({least}), Axes({-1})})[0].AsInt64Vector()[0], least);
  EXPECT_EQ(RunOp("Mod", {Axes({least}), Axes({-1})})[0].AsInt64Vector()[0], 0);
}

TEST(Refusals, PlaceholdersWithoutAValue) {
  for (const char* op : {"Placeholder", "PlaceholderV2"})
    EXPECT_THAT(Refused<InvalidArgumentError>([&] {
                  RunOp(op, {}, {{"dtype", kF}, {"shape", PartialShape{-1, 2}}}, 1, false);
                }),
                HasSubstr("You must feed a value for placeholder tensor 'node' with dtype float and shape [?,2]"));
}

TEST(Printing, PassesItsInputOn) {
  const Array x = Axes({1, 2, 3, 4});
  testing::internal::CaptureStderr();
  const Array out = RunOp("Print", {x, x, Array::Strings({1}, {"word"})},
                          {{"message", std::string("m: ")}, {"U", std::vector<DType>{kI, DType::kString}}})[0];
  RunOp("PrintV2", {Array::Strings({}, {"a line"})}, {{"output_stream", std::string("stderr")}});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "m: [1 2 3...][word]\na line\n");
  EXPECT_TRUE(BitwiseEqual(out, x));
  testing::internal::CaptureStdout();
  RunOp("PrintV2", {Array::Strings({}, {"a"})}, {{"output_stream", std::string("stdout")}, {"end", std::string("!")}});
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "a!");
  ExpectRefused<InvalidArgumentError>("PrintV2", {Array::Strings({1}, {"a"})}, {}, "");
  EXPECT_NO_THROW(RunOp("Assert", {Array::Scalar(true), x}, {{"T", std::vector<DType>{kI}}}));
}
}  // namespace
}  // namespace equiv::test
