// kernels/cpu/random.cc - the kernels around the fills: seeds, state, checks.
#include "kernels/cpu/random.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <random>

#include "kernels/base/op_def.h"
#include "kernels/cpu/checked_math.h"
#include "kernels/cpu/compute_util.h"
#include "kernels/cpu/qr.h"

namespace equiv::cpu {
namespace {

Shape ShapeInput(KernelContext& ctx, int i) {
  if (ctx.input(i).rank() != 1)
    throw InvalidArgumentError(fmt::format("{}shape must be a vector of {{int32,int64}}, got shape {}", ctx.Where(),
                                           ctx.input(i).shape().ToString()));
  return CheckedShape(FailOf(ctx), ctx.input(i).AsInt64Vector());
}
std::int64_t ScalarInput(KernelContext& ctx, int i, std::string_view name) {
  if (ctx.input(i).num_elements() != 1 || ctx.input(i).rank() != 0)
    throw InvalidArgumentError(
        fmt::format("{}{} must be a scalar, got shape {}", ctx.Where(), name, ctx.input(i).shape().ToString()));
  return ctx.input(i).AsInt64Vector()[0];
}
void UniformIntInto(KernelContext& ctx, const Philox& generator, const Shape& shape, int low_input) {
  // tf: the definition of V2 allows unsigned integers, for which there is no kernel
  const DType dtype = ctx.output_dtype(0);
  if (dtype != DType::kInt32 && dtype != DType::kInt64) UnsupportedDType(ctx, dtype);
  const std::int64_t low = ScalarInput(ctx, low_input, "minval"), high = ScalarInput(ctx, low_input + 1, "maxval");
  Array& out = ctx.Allocate(0, shape);
  if (out.num_elements() == 0) return;
  if (low >= high)
    throw InvalidArgumentError(fmt::format("{}Need minval < maxval, got {} >= {}", ctx.Where(), low, high));
  FillUniformInt(generator, low, high, out, ctx.pool());
}

// tf: MultinomialFunctor, its one-thread form: rows read the stream one after another
template <class T>
void SampleRows(const Array& logits, std::int64_t samples, const Philox& generator, Array& out) {
  const std::int64_t batch = logits.dim(0), classes = logits.dim(1);
  PhiloxWords words(generator);
  std::vector<double> cdf(static_cast<std::size_t>(classes));
  for (std::int64_t b = 0; b < batch; ++b) {
    const T* row = logits.data<T>() + b * classes;
    const auto value = [row](std::int64_t j) {
      if constexpr (sizeof(T) == 2)
        return static_cast<double>(static_cast<float>(row[j]));
      else
        return static_cast<double>(row[j]);
    };
    double largest = std::numeric_limits<double>::lowest();
    for (std::int64_t j = 0; j < classes; ++j)
      if (std::isfinite(value(j))) largest = std::max(largest, value(j));
    double total = 0;
    for (std::int64_t j = 0; j < classes; ++j) {
      if (std::isfinite(value(j))) total += std::exp(value(j) - largest);
      cdf[static_cast<std::size_t>(j)] = total;
    }
    for (std::int64_t s = 0; s < samples; ++s) {
      const std::uint32_t x0 = words(), x1 = words();
      const double unit =
          std::bit_cast<double>(std::uint64_t{1023} << 52 | std::uint64_t{x0 & 0xfffffu} << 32 | x1) - 1.0;
      const std::int64_t found = std::upper_bound(cdf.begin(), cdf.end(), unit * total) - cdf.begin();
      if (out.dtype() == DType::kInt32)
        out.mutable_data<std::int32_t>()[b * samples + s] = static_cast<std::int32_t>(found);
      else
        out.mutable_data<std::int64_t>()[b * samples + s] = found;
    }
  }
}
// Checks, allocates, samples; `generator(skip)` is asked once the sizes are known.
template <class Generator>
void MultinomialInto(KernelContext& ctx, const Generator& generator) {
  const Array logits = ctx.input(0);
  if (logits.rank() != 2)
    throw InvalidArgumentError(
        fmt::format("{}logits should be a matrix, got shape {}", ctx.Where(), logits.shape().ToString()));
  const std::int64_t samples = ScalarInput(ctx, 1, "num_samples");
  if (samples < 0)
    throw InvalidArgumentError(fmt::format("{}num_samples should be nonnegative, got {}", ctx.Where(), samples));
  if (logits.dim(0) > 0 && logits.dim(1) == 0)
    throw InvalidArgumentError(fmt::format("{}num_classes should be positive, got 0", ctx.Where()));
  Array& out = ctx.Allocate(0, Shape{logits.dim(0), samples});
  if (out.num_elements() == 0) return;
  const Philox g = generator(static_cast<std::uint64_t>(2 * logits.dim(0) * ((samples + 3) / 4 * 4) * 256));
  switch (logits.dtype()) {
    case DType::kFloat16:
      return SampleRows<Float16>(logits, samples, g, out);
    case DType::kBFloat16:
      return SampleRows<BFloat16>(logits, samples, g, out);
    default:
      ForFloating(ctx, logits.dtype(), [&]<class T>() { SampleRows<T>(logits, samples, g, out); });
  }
}

// A kernel with a generator of its own.
class SeededKernel : public Kernel {
 public:
  explicit SeededKernel(const KernelInit& init) {
    std::int64_t seed = init.attrs.Get<std::int64_t>("seed"), seed2 = init.attrs.Get<std::int64_t>("seed2");
    if (seed == 0 && seed2 == 0) {  // tf: GuardedPhiloxRandom: both zero asks the operating system
      std::random_device device;
      seed = static_cast<std::int64_t>(std::uint64_t{device()} << 32 | device());
      seed2 = static_cast<std::int64_t>(std::uint64_t{device()} << 32 | device());
    }
    generator_ = Philox::FromSeeds(seed, seed2);
  }

 protected:
  // A copy to draw from; the kernel's own generator moves on by `blocks`.
  Philox Reserve(std::uint64_t blocks) {
    std::lock_guard lock(mutex_);
    const Philox copy = generator_;
    generator_.Skip(blocks);
    return copy;
  }

 private:
  std::mutex mutex_;
  Philox generator_;
};
constexpr std::uint64_t kBlocksPerElement = 256;

class FillKernel final : public SeededKernel {
 public:
  FillKernel(const KernelInit& init, Distribution distribution) : SeededKernel(init), distribution_(distribution) {}
  void Run(KernelContext& ctx) override {
    Array& out = ctx.Allocate(0, ShapeInput(ctx, 0));
    FillRandom(distribution_, Reserve(kBlocksPerElement * static_cast<std::uint64_t>(out.num_elements())), out,
               ctx.pool());
  }

 private:
  Distribution distribution_;
};
class UniformIntKernel final : public SeededKernel {
 public:
  using SeededKernel::SeededKernel;
  void Run(KernelContext& ctx) override {
    const Shape shape = ShapeInput(ctx, 0);
    UniformIntInto(ctx, Reserve(kBlocksPerElement * static_cast<std::uint64_t>(shape.num_elements())), shape, 1);
  }
};
class ShuffleKernel final : public SeededKernel {
 public:
  using SeededKernel::SeededKernel;
  void Run(KernelContext& ctx) override {
    const Array in = ctx.input(0);
    const std::int64_t n = in.rank() == 0 ? 1 : in.dim(0);
    if (n <= 1 || in.num_elements() <= 1) return ctx.set_output(0, in);
    if (SizeOf(in.dtype()) == 0 && in.dtype() != DType::kString) UnsupportedDType(ctx, in.dtype());
    PhiloxWords words(Reserve(static_cast<std::uint64_t>((n - 1 + 3) / 4)));
    std::vector<std::int64_t> rows(static_cast<std::size_t>(n));
    std::iota(rows.begin(), rows.end(), 0);
    for (std::int64_t i = 0; i < n - 1; ++i)
      std::swap(rows[static_cast<std::size_t>(i)], rows[static_cast<std::size_t>(i + words() % (n - i))]);
    if (in.dtype() == DType::kString) {
      const auto width = static_cast<std::ptrdiff_t>(in.num_elements() / n);
      std::vector<std::string> shuffled;
      for (std::int64_t row : rows)
        shuffled.insert(shuffled.end(), in.strings().begin() + row * width, in.strings().begin() + (row + 1) * width);
      return ctx.set_output(0, Array::Strings(in.shape(), std::move(shuffled)));
    }
    Array& out = ctx.Allocate(0, in.shape());
    const std::size_t bytes = in.num_bytes() / static_cast<std::size_t>(n);
    for (std::int64_t i = 0; i < n; ++i)
      std::memcpy(out.raw() + static_cast<std::size_t>(i) * bytes,
                  in.raw() + static_cast<std::size_t>(rows[static_cast<std::size_t>(i)]) * bytes, bytes);
  }
};
class MultinomialKernel final : public SeededKernel {
 public:
  using SeededKernel::SeededKernel;
  void Run(KernelContext& ctx) override {
    MultinomialInto(ctx, [this](std::uint64_t blocks) { return Reserve(blocks); });
  }
};
template <class K>
KernelFactory Make() {
  return [](const KernelInit& init) { return std::make_unique<K>(init); };
}

Philox FromSeedInput(KernelContext& ctx, int i) {
  const Array& seed = ctx.input(i);
  if (seed.shape() != Shape{2})
    throw InvalidArgumentError(fmt::format("{}seed must have shape [2], not {}", ctx.Where(), seed.shape().ToString()));
  const std::vector<std::int64_t> s = seed.AsInt64Vector();
  return Philox::FromStatelessSeed(s[0], s[1]);
}
Philox FromKeyCounterInputs(KernelContext& ctx) {
  const Array &key = ctx.input(1), &counter = ctx.input(2);
  if (key.shape() != Shape{1} || counter.rank() != 1 || counter.dim(0) < 2)
    throw InvalidArgumentError(fmt::format("{}key must have shape [1] and counter at least [2], got {} and {}",
                                           ctx.Where(), key.shape().ToString(), counter.shape().ToString()));
  const std::int64_t algorithm = ScalarInput(ctx, 3, "alg");
  if (algorithm != 1 && algorithm != 3)
    throw InvalidArgumentError(fmt::format("{}alg must be 1 (Philox), got {}", ctx.Where(), algorithm));
  const auto* c = counter.data<std::uint64_t>();
  return {key.data<std::uint64_t>()[0], c[0], c[1]};
}
class StatelessKernel final : public Kernel {
 public:
  StatelessKernel(Distribution distribution, bool v2) : distribution_(distribution), v2_(v2) {}
  void Run(KernelContext& ctx) override {
    const Philox generator = v2_ ? FromKeyCounterInputs(ctx) : FromSeedInput(ctx, 1);
    Array& out = ctx.Allocate(0, ShapeInput(ctx, 0));
    FillRandom(distribution_, generator, out, ctx.pool());
  }

 private:
  Distribution distribution_;
  bool v2_;
};

template <class T>
void QrOf(KernelContext& ctx) {
  const Array in = ctx.input(0);
  const int rank = in.rank();
  const std::int64_t m = in.dim(rank - 2), n = in.dim(rank - 1);
  const std::int64_t columns = ctx.attrs().Get<bool>("full_matrices") ? m : std::min(m, n);
  std::vector<std::int64_t> q_dims = in.shape().vector(), r_dims = q_dims;
  q_dims[static_cast<std::size_t>(rank - 1)] = columns;
  r_dims[static_cast<std::size_t>(rank - 2)] = columns;
  Array& q = ctx.Allocate(0, Shape(q_dims));
  Array& r = ctx.Allocate(1, Shape(r_dims));
  const std::int64_t matrices = m * n == 0 ? 0 : in.num_elements() / (m * n);
  for (std::int64_t i = 0; i < matrices; ++i)
    HouseholderQr(in.data<T>() + i * m * n, m, n, columns, q.mutable_data<T>() + i * m * columns,
                  r.mutable_data<T>() + i * columns * n);
}

}  // namespace

KernelFactory RandomKernel(Distribution d) {
  return [d](const KernelInit& init) { return std::make_unique<FillKernel>(init, d); };
}
KernelFactory RandomUniformInt() { return Make<UniformIntKernel>(); }
KernelFactory RandomShuffle() { return Make<ShuffleKernel>(); }
KernelFactory Multinomial() { return Make<MultinomialKernel>(); }
KernelFactory StatelessRandom(Distribution d) {
  return [d](const KernelInit&) { return std::make_unique<StatelessKernel>(d, false); };
}
KernelFactory StatelessRandomV2(Distribution d) {
  return [d](const KernelInit&) { return std::make_unique<StatelessKernel>(d, true); };
}
void StatelessRandomUniformInt(KernelContext& ctx) {
  UniformIntInto(ctx, FromSeedInput(ctx, 1), ShapeInput(ctx, 0), 2);
}
void StatelessRandomUniformIntV2(KernelContext& ctx) {
  UniformIntInto(ctx, FromKeyCounterInputs(ctx), ShapeInput(ctx, 0), 4);
}
void StatelessRandomUniformFullInt(KernelContext& ctx) {
  const Philox generator = FromSeedInput(ctx, 1);
  FillFullInt(generator, ctx.Allocate(0, ShapeInput(ctx, 0)), ctx.pool());
}
void StatelessRandomUniformFullIntV2(KernelContext& ctx) {
  const Philox generator = FromKeyCounterInputs(ctx);
  FillFullInt(generator, ctx.Allocate(0, ShapeInput(ctx, 0)), ctx.pool());
}
void StatelessMultinomial(KernelContext& ctx) {
  MultinomialInto(ctx, [&ctx](std::uint64_t) { return FromSeedInput(ctx, 2); });
}
void StatelessRandomGetKeyCounter(KernelContext& ctx) {
  const Philox g = FromSeedInput(ctx, 0);
  ctx.set_output(0, Array::Of<std::uint64_t>(Shape{1}, {g.key()}));
  ctx.set_output(1, Array::Of<std::uint64_t>(Shape{2}, {g.counter_low(), g.counter_high()}));
}
void StatelessRandomGetKeyCounterAlg(KernelContext& ctx) {
  StatelessRandomGetKeyCounter(ctx);
  ctx.set_output(2, Array::Scalar(std::int32_t{1}));
}
void StatelessRandomGetAlg(KernelContext& ctx) { ctx.set_output(0, Array::Scalar(std::int32_t{1})); }

void Qr(KernelContext& ctx) {
  if (ctx.input(0).rank() < 2)
    throw InvalidArgumentError(
        fmt::format("{}Input must have rank >= 2, got shape {}", ctx.Where(), ctx.input(0).shape().ToString()));
  ForFloating(ctx, ctx.input(0).dtype(), [&]<class T>() { QrOf<T>(ctx); });
}

}  // namespace equiv::cpu
