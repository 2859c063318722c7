// Every op's definition against TensorFlow's own (tf_op_defs.jsonl; tf_op_defs.py wrote it): arguments, attributes,
// defaults, allowed types. A graph file may carry any of TensorFlow's attributes, so each must be known.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "suites/kernels/cpu_compute/op_runner.h"

namespace equiv::test {
namespace {
using nlohmann::json;
using Texts = std::vector<std::string>;

struct TensorFlowDef {
  OpDef def;
  bool has_reference = false;
};
std::map<std::string, TensorFlowDef> ReadDefs() {
  std::map<std::string, TensorFlowDef> defs;
  std::ifstream in(std::string(EQUIV_SOURCE_DIR) + "/suites/kernels/cpu_compute/tf_op_defs.jsonl");
  for (std::string line; std::getline(in, line);) {
    const json record = json::parse(line);
    TensorFlowDef tf;
    OpDef& def = tf.def;
    def.name = record.at("op");
    if (!ComputeOps().Find(def.name)) continue;
    def.inputs = record.at("inputs").get<Texts>();
    def.outputs = record.at("outputs").get<Texts>();
    def.attrs = record.at("attrs").get<Texts>();
    def.stateful = record.at("stateful");
    def.aggregate = record.at("aggregate");
    def.commutative = record.at("commutative");
    ParseNotation(def);
    for (const std::vector<ArgDef>* args : {&def.input_args, &def.output_args})
      tf.has_reference |= std::ranges::any_of(*args, &ArgDef::is_ref);
    std::string name = def.name;
    defs.emplace(std::move(name), std::move(tf));
  }
  return defs;
}

std::string Types(std::vector<DType> types) {
  std::ranges::sort(types);
  Texts names;
  for (DType d : types) names.emplace_back(Name(d));
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return fmt::format("{}", fmt::join(names, ","));
}
std::string Describe(const AttrDef& attr) {
  return fmt::format("kind {}, types [{}], strings [{}], minimum {}, default {}", static_cast<int>(attr.kind),
                     Types(attr.allowed_types), fmt::join(attr.allowed_strings, ","),
                     attr.minimum && *attr.minimum != 0 ? std::to_string(*attr.minimum) : "none",
                     attr.default_value ? ToString(*attr.default_value) : "none");
}
std::string Describe(const ArgDef& arg) {
  return fmt::format("{}: {}{}{}{}{}", arg.name, arg.is_ref ? "ref " : "",
                     arg.number_attr.empty() ? "" : arg.number_attr + " * ",
                     arg.type_attr.empty() ? Name(arg.type) : arg.type_attr, arg.type_list_attr,
                     arg.type_list_attr.empty() ? "" : " (list)");
}
Texts DescribeAll(const std::vector<ArgDef>& args) {
  Texts texts;
  for (const ArgDef& arg : args) {
    ArgDef shown = arg;
    if (shown.type == DType::kInvalid && !shown.type_list_attr.empty()) shown.type_attr = " ";
    texts.push_back(Describe(shown));
  }
  return texts;
}
const AttrDef* Find(const OpDef& def, const std::string& name) {
  const auto it = std::ranges::find(def.attr_defs, name, &AttrDef::name);
  return it == def.attr_defs.end() ? nullptr : &*it;
}

// Calls are the executors' own. Batch norms and MaxPool3D take float64 besides, as a reference for their precision;
// MaxPool takes every integer, and leaves out a layout that only quantised types have; what optimised graphs hold is
// written by TensorFlow's own optimiser alone.
const std::set<std::string> kApart = {"PartitionedCall",
                                      "StatefulPartitionedCall",
                                      "FusedBatchNormV2",
                                      "FusedBatchNormV3",
                                      "FusedBatchNormGradV2",
                                      "FusedBatchNormGradV3",
                                      "MaxPool3D",
                                      "MaxPool3DGrad",
                                      "MaxPool",
                                      "MaxPoolV2",
                                      "_FusedConv2D",
                                      "_FusedMatMul",
                                      "_FusedDepthwiseConv2dNative"};

TEST(OpDefinitions, AreTensorFlows) {
  const std::map<std::string, TensorFlowDef> defs = ReadDefs();
  for (const OpDef* op : ComputeOps().All()) {
    SCOPED_TRACE(op->name);
    if (kApart.contains(op->name)) continue;
    const auto it = defs.find(op->name);
    if (it == defs.end()) {
      ADD_FAILURE() << "TensorFlow has no such op";
      continue;
    }
    const auto& [tf, has_reference] = it->second;
    EXPECT_EQ(DescribeAll(op->input_args), DescribeAll(tf.input_args)) << "inputs";
    EXPECT_EQ(DescribeAll(op->output_args), DescribeAll(tf.output_args)) << "outputs";
    for (const AttrDef& attr : tf.attr_defs) {
      const AttrDef* own = Find(*op, attr.name);
      EXPECT_EQ(own ? Describe(*own) : "missing", Describe(attr)) << "attribute " << attr.name;
    }
    for (const AttrDef& attr : op->attr_defs)
      EXPECT_TRUE(Find(tf, attr.name)) << attr.name << " is no attribute of the op";
    // tf: reference ops are not stateful, their edges order them; here handles travel on those.
    if (!has_reference) {
      EXPECT_EQ(op->stateful, tf.stateful) << "stateful";
    }
    EXPECT_EQ(op->aggregate, tf.aggregate) << "aggregate";
    EXPECT_EQ(op->commutative, tf.commutative) << "commutative";
  }
}
}  // namespace
}  // namespace equiv::test
