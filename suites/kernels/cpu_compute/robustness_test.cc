// Random calls, mostly wrong ones, of every op: each gives a result or an Error, and never one of our own bugs.
// With a sanitizer this finds reads and writes out of bounds.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <random>
#include <set>

#include "suites/kernels/cpu_compute/op_runner.h"

namespace equiv::test {
namespace {

const std::vector<DType> kAnyType{DType::kFloat16, DType::kBFloat16,  DType::kFloat64,   DType::kInt8,
                                  DType::kInt16,   DType::kInt32,     DType::kInt64,     DType::kUInt8,
                                  DType::kUInt16,  DType::kUInt32,    DType::kUInt64,    DType::kBool,
                                  DType::kString,  DType::kComplex64, DType::kComplex128};
const std::vector<const char*> kStrings{"", "7", "-1.5", "two words", "\xc3\xa9"};

class Caller {
 public:
  Caller(unsigned seed, bool stateful) : stateful_(stateful), bits_(seed) {}

  // One call of the op; true when it gave a result.
  bool Call(const OpDef& def) {
    AttrMap attrs;
    for (const AttrDef& attr : def.attr_defs) SetAttr(attr, attrs);
    // The shapes of arguments are often those of a correct call, with the dimensions of a common image.
    for (std::int64_t& d : image_) d = Below(6);
    std::vector<Array> inputs;
    for (const ArgDef& arg : def.input_args) {
      std::int64_t count = arg.number_attr.empty() && arg.type_list_attr.empty() ? 1 : Below(5);
      if (!arg.number_attr.empty()) {
        if (const AttrValue* n = attrs.Find(arg.number_attr); n && Below(2) == 0) count = std::get<std::int64_t>(*n);
        attrs.Set(arg.number_attr, count);
      }
      for (std::int64_t i = 0; i < count; ++i) inputs.push_back(Input(arg, attrs));
    }
    try {
      RunOp(def.name, inputs, attrs, 2, Below(2) == 0);
      return true;
    } catch (const InternalError&) {
      throw;
    } catch (const Error&) {
      return false;
    }
  }

 private:
  unsigned Seed() { return static_cast<unsigned>(Below(1 << 30)); }
  std::int64_t Below(std::int64_t n) { return static_cast<std::int64_t>(bits_() % static_cast<std::uint64_t>(n)); }
  template <class V>
  const V& Pick(const std::vector<V>& values) {
    return values[static_cast<std::size_t>(Below(static_cast<std::int64_t>(values.size())))];
  }
  std::int64_t Small() { return Below(12) == 0 ? Below(9) - 4 : 1 + Below(3); }
  Ints SmallList(bool five) {
    Ints list;
    const std::int64_t length = Below(16) == 0 ? Below(9) : five ? 5 : 4;
    for (std::int64_t i = 0; i < length; ++i)
      list.push_back(i == 0 || i == length - 1 ? Below(16) == 0 ? 2 : 1 : Small());
    return list;
  }
  void SetAttr(const AttrDef& attr, AttrMap& attrs) {
    if (attr.default_value && Below(2) == 0) return;
    switch (attr.kind) {
      case AttrKind::kInt:
        return attrs.Set(attr.name, attr.minimum.value_or(0) + Below(4));
      case AttrKind::kFloat:
        return attrs.Set(attr.name, static_cast<float>(Below(5)) / 2.0F);
      case AttrKind::kBool:
        return attrs.Set(attr.name, Below(2) == 0);
      case AttrKind::kString:
        if (!attr.allowed_strings.empty()) attrs.Set(attr.name, Pick(attr.allowed_strings));
        return;
      case AttrKind::kType:
        if (Below(4) != 0 && (attr.allowed_types.empty() ||
                              std::ranges::find(attr.allowed_types, DType::kFloat32) != attr.allowed_types.end()))
          return attrs.Set(attr.name, DType::kFloat32);
        return attrs.Set(attr.name, Pick(attr.allowed_types.empty() ? kAnyType : attr.allowed_types));
      case AttrKind::kListInt:
        return attrs.Set(attr.name, SmallList(attr.minimum == 5));
      case AttrKind::kListString:
        return attrs.Set(attr.name, std::vector<std::string>{Below(2) == 0 ? "BiasAdd" : "FusedBatchNorm", "Relu"});
      default:
        return;
    }
  }
  Shape RandomShape() {
    switch (Below(8)) {
      case 0:
        return {};
      case 1:
        return {image_[3]};
      case 2:
        return {Below(4), 4};
      case 3:
        return {image_[0], image_[1], image_[2], 1, image_[3]};
      case 4: {
        Ints dims(static_cast<std::size_t>(Below(6)));
        for (std::int64_t& d : dims) d = Below(4);
        return Shape(dims);
      }
      case 5:
        return {image_[1], image_[3]};
      default:
        return {image_[0], image_[1], image_[2], image_[3]};
    }
  }
  Array Filled(DType dtype, const Shape& shape) {
    if (dtype == DType::kString) {
      std::vector<std::string> values;
      for (std::int64_t i = 0; i < shape.num_elements(); ++i) values.emplace_back(Pick(kStrings));
      return Array::Strings(shape, std::move(values));
    }
    if (dtype == DType::kFloat32 || dtype == DType::kFloat64) {
      Array a = dtype == DType::kFloat32 ? RandomArray<float>(shape, Seed()) : RandomArray<double>(shape, Seed());
      if (dtype == DType::kFloat32 && a.num_elements() > 0 && Below(8) == 0)
        a.mutable_data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
      return a;
    }
    Array a(dtype, shape);
    for (std::int64_t i = 0; i < a.num_elements(); ++i) {
      const std::int64_t v = Below(10) == 0 ? Below(9) - 4 : Below(4);
      if (dtype == DType::kInt32)
        a.mutable_data<std::int32_t>()[i] = static_cast<std::int32_t>(v);
      else if (dtype == DType::kInt64)
        a.mutable_data<std::int64_t>()[i] = v;
      else
        std::memset(a.raw() + static_cast<std::size_t>(i) * SizeOf(dtype), static_cast<int>(v & 1), SizeOf(dtype));
    }
    return a;
  }
  Array Input(const ArgDef& arg, AttrMap& attrs) {
    if (arg.is_ref && !attrs.Find(arg.type_attr)) attrs.Set(arg.type_attr, DType::kFloat32);
    if (arg.is_ref || arg.type == DType::kResource) {
      const DType dtype = arg.is_ref ? attrs.Get<DType>(arg.type_attr) : DType::kFloat32;
      auto variable = std::make_shared<Variable>("v", dtype, PartialShape());
      if (Below(16) != 0) variable->Assign(Filled(dtype, StateShape()), "test");
      return Array::Resource(std::move(variable));
    }
    DType dtype = arg.type;
    if (!arg.type_list_attr.empty()) {
      dtype = Pick(kAnyType);
    } else if (dtype == DType::kInvalid) {
      if (!attrs.Find(arg.type_attr)) attrs.Set(arg.type_attr, DType::kFloat32);
      dtype = attrs.Get<DType>(arg.type_attr);
    }
    if (SizeOf(dtype) == 0 && dtype != DType::kString) dtype = DType::kFloat32;
    // Lists of sizes, scalars and gradients of variables by their usual names.
    if (dtype == DType::kInt32 || dtype == DType::kInt64) {
      if (arg.name == "paddings" || arg.name == "crops") return Filled(dtype, {Below(4) == 0 ? Below(5) : 2, 2});
      if (arg.name == "indices" || arg.name == "block_shape" || arg.name.ends_with("size"))
        return Filled(dtype, Below(3) == 0 ? Shape{} : Shape{2});
      if (Below(3) != 0) return Filled(dtype, {4 + Below(2)});
    }
    if (stateful_ && (arg.name == "grad" || arg.name == "delta")) return Filled(dtype, StateShape());
    if (stateful_ && Below(16) != 0) return Filled(dtype, {});
    return Filled(dtype, RandomShape());
  }
  Shape StateShape() { return Below(8) == 0 ? RandomShape() : Shape{2, 3}; }

  bool stateful_;
  std::mt19937 bits_;
  std::array<std::int64_t, 4> image_{};
};

TEST(Robustness, RandomCallsGiveAResultOrAnError) {
  // These need a body to call, or write files or to the test's own output.
  const std::set<std::string> apart{
      "PartitionedCall", "StatefulPartitionedCall", "SaveV2", "MergeV2Checkpoints", "Print", "PrintV2"};
  const auto calls = [](const AttrDef& attr) {
    return attr.kind == AttrKind::kFunc || attr.kind == AttrKind::kListFunc;
  };
  std::int64_t ops = 0, worked = 0;
  for (const OpDef* def : ComputeOps().All()) {
    if (apart.contains(def->name) || std::ranges::any_of(def->attr_defs, calls)) continue;
    ++ops;
    SCOPED_TRACE(def->name);
    for (unsigned seed = 0; seed < 150; ++seed) {
      Caller caller(seed * 7919 + static_cast<unsigned>(ops), def->stateful);
      try {
        worked += caller.Call(*def) ? 1 : 0;
      } catch (const std::exception& e) {
        ADD_FAILURE() << "seed " << seed << ": " << e.what();
      }
    }
  }
  EXPECT_GT(ops, 300);
  EXPECT_GT(worked, 8000);
}
}  // namespace
}  // namespace equiv::test
