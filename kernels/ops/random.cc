// kernels/ops/random.cc - random ops, stateful and stateless, and the QR factorisation of the orthogonal initialiser.
#include "kernels/cpu/random.h"

#include <fmt/format.h>

#include "kernels/base/op_registry.h"
#include "kernels/ops/common_shapes.h"
#include "kernels/ops/type_lists.h"

namespace equiv::ops {
namespace {
using cpu::Distribution;
constexpr const char* kSeed = "seed: int = 0";
constexpr const char* kSeed2 = "seed2: int = 0";
constexpr const char* kDtype = "dtype: {half, bfloat16, float, double}";

void FirstInputIsShape(ShapeContext& c) { c.set_output(0, ShapeFromInput(c, 0)); }
void MultinomialShape(ShapeContext& c) {
  const PartialShape logits = c.WithRank(0, 2);
  const Array* samples = c.constant(1);
  c.set_output(0, PartialShape(std::vector<std::int64_t>{
                      logits[0], samples && samples->rank() == 0 ? samples->AsInt64Vector()[0] : -1}));
}
// tf: QrShapeFn
void QrShape(ShapeContext& c) {
  const PartialShape in = c.WithRankAtLeast(0, 2);
  if (!in.has_rank()) return;
  const bool full = c.attr<bool>("full_matrices");
  const auto m = in[in.rank() - 2], n = in[in.rank() - 1], small = m < 0 || n < 0 ? -1 : std::min(m, n);
  std::vector<std::int64_t> q = in.dims(), r = in.dims();
  q.back() = full ? m : small;
  r[r.size() - 2] = full ? m : small;
  c.set_output(0, PartialShape(std::move(q)));
  c.set_output(1, PartialShape(std::move(r)));
}

OpDef Stateful(const char* name, const char* doc, std::vector<std::string> inputs, std::string output,
               std::vector<std::string> attrs, ShapeFn shape, KernelFactory kernel) {
  attrs.insert(attrs.begin(), {kSeed, kSeed2});
  return {.name = name,
          .doc = doc,
          .inputs = std::move(inputs),
          .outputs = {std::move(output)},
          .attrs = std::move(attrs),
          .stateful = true,
          .random = true,
          .shape = std::move(shape),
          .kernel = std::move(kernel)};
}
OpDef Pure(const char* name, const char* doc, std::vector<std::string> inputs, std::string output,
           std::vector<std::string> attrs, ShapeFn shape, KernelFactory kernel) {
  return {.name = name,
          .doc = doc,
          .inputs = std::move(inputs),
          .outputs = {std::move(output)},
          .attrs = std::move(attrs),
          .shape = std::move(shape),
          .kernel = std::move(kernel)};
}
}  // namespace

void RegisterRandom(OpRegistry& r) {
  struct Family {
    const char *stateful, *stateless, *v2, *doc;
    Distribution distribution;
  };
  for (const Family& f : {Family{"RandomUniform", "StatelessRandomUniform", "StatelessRandomUniformV2",
                                 "Uniform over [0, 1).", Distribution::kUniform},
                          Family{"RandomStandardNormal", "StatelessRandomNormal", "StatelessRandomNormalV2",
                                 "Normal with mean 0 and deviation 1.", Distribution::kNormal},
                          Family{"TruncatedNormal", "StatelessTruncatedNormal", "StatelessTruncatedNormalV2",
                                 "Standard normal, redrawn beyond two deviations.", Distribution::kTruncatedNormal}}) {
    r.Add(Stateful(f.stateful, f.doc, {"shape: T"}, "output: dtype", {kDtype, "T: {int32, int64}"}, FirstInputIsShape,
                   cpu::RandomKernel(f.distribution)));
    r.Add(Pure(f.stateless, f.doc, {"shape: T", "seed: Tseed"}, "output: dtype",
               {"dtype: {half, bfloat16, float, double} = float", "T: {int32, int64} = int32",
                "Tseed: {int32, int64} = int64"},
               FirstInputIsShape, cpu::StatelessRandom(f.distribution)));
    r.Add(Pure(f.v2, f.doc, {"shape: Tshape", "key: uint64", "counter: uint64", "alg: int32"}, "output: dtype",
               {"dtype: {half, bfloat16, float, double} = float", "Tshape: {int32, int64} = int32"}, FirstInputIsShape,
               cpu::StatelessRandomV2(f.distribution)));
  }
  r.Add(Stateful("RandomUniformInt", "Integers in [minval, maxval).", {"shape: T", "minval: Tout", "maxval: Tout"},
                 "output: Tout", {"Tout: {int32, int64}", "T: {int32, int64}"}, FirstInputIsShape,
                 cpu::RandomUniformInt()));
  r.Add(Stateful(
      "RandomShuffle", "The rows in random order.", {"value: T"}, "output: T", {"T: type"},
      [](ShapeContext& c) { c.set_output(0, c.input(0)); }, cpu::RandomShuffle()));
  r.Add(Stateful("Multinomial", "Class numbers drawn with the given unnormalised log-probabilities.",
                 {"logits: T", "num_samples: int32"}, "output: output_dtype",
                 {Types("T", kReal), "output_dtype: {int32, int64} = int64"}, MultinomialShape, cpu::Multinomial()));

  r.Add(Pure("StatelessRandomUniformInt", "Integers in [minval, maxval).",
             {"shape: T", "seed: Tseed", "minval: dtype", "maxval: dtype"}, "output: dtype",
             {"dtype: {int32, int64}", "T: {int32, int64}", "Tseed: {int32, int64} = int64"}, FirstInputIsShape,
             Stateless(cpu::StatelessRandomUniformInt)));
  r.Add(Pure("StatelessRandomUniformFullInt", "Integers over their whole range.", {"shape: T", "seed: Tseed"},
             "output: dtype",
             {"dtype: {int32, int64, uint32, uint64} = uint64", "T: {int32, int64} = int32",
              "Tseed: {int32, int64, uint32, uint64} = int64"},
             FirstInputIsShape, Stateless(cpu::StatelessRandomUniformFullInt)));
  r.Add(Pure("StatelessMultinomial", "Class numbers drawn with the given unnormalised log-probabilities.",
             {"logits: T", "num_samples: int32", "seed: Tseed"}, "output: output_dtype",
             {Types("T", kReal), "Tseed: {int32, int64} = int64", "output_dtype: {int32, int64} = int64"},
             MultinomialShape, Stateless(cpu::StatelessMultinomial)));
  r.Add({.name = "StatelessRandomGetKeyCounter",
         .doc = "The Philox key and counter of a seed.",
         .inputs = {"seed: Tseed"},
         .outputs = {"key: uint64", "counter: uint64"},
         .attrs = {"Tseed: {int32, int64} = int64"},
         .shape =
             [](ShapeContext& c) {
               c.set_output(0, Shape{1});
               c.set_output(1, Shape{2});
             },
         .kernel = Stateless(cpu::StatelessRandomGetKeyCounter)});
  r.Add({.name = "StatelessRandomGetKeyCounterAlg",
         .doc = "The Philox key and counter of a seed, and the number of the algorithm: 1, Philox.",
         .inputs = {"seed: Tseed"},
         .outputs = {"key: uint64", "counter: uint64", "alg: int32"},
         .attrs = {"Tseed: {int32, int64} = int64"},
         .shape =
             [](ShapeContext& c) {
               c.set_output(0, Shape{1});
               c.set_output(1, Shape{2});
               c.set_output(2, Shape{});
             },
         .kernel = Stateless(cpu::StatelessRandomGetKeyCounterAlg)});
  r.Add({.name = "StatelessRandomGetAlg",
         .doc = "The number of the random algorithm: 1, Philox.",
         .outputs = {"alg: int32"},
         .stateful = true,
         .shape = [](ShapeContext& c) { c.set_output(0, Shape{}); },
         .kernel = Stateless(cpu::StatelessRandomGetAlg)});
  r.Add(Pure("StatelessRandomUniformIntV2", "Integers in [minval, maxval).",
             {"shape: Tshape", "key: uint64", "counter: uint64", "alg: int32", "minval: dtype", "maxval: dtype"},
             "output: dtype", {"dtype: {int32, int64, uint32, uint64}", "Tshape: {int32, int64} = int32"},
             FirstInputIsShape, Stateless(cpu::StatelessRandomUniformIntV2)));
  r.Add(Pure("StatelessRandomUniformFullIntV2", "Integers over their whole range.",
             {"shape: Tshape", "key: uint64", "counter: uint64", "alg: int32"}, "output: dtype",
             {"dtype: {int32, int64, uint32, uint64} = uint64", "Tshape: {int32, int64} = int32"}, FirstInputIsShape,
             Stateless(cpu::StatelessRandomUniformFullIntV2)));
  r.Add({.name = "Qr",
         .doc = "Householder QR factorisation of the innermost matrices.",
         .inputs = {"input: T"},
         .outputs = {"q: T", "r: T"},
         .attrs = {"full_matrices: bool = false", "T: {double, float, half, complex64, complex128}"},
         .shape = QrShape,
         .kernel = Stateless(cpu::Qr)});
}
}  // namespace equiv::ops
