// kernels/cpu/random.h - random numbers equal to TensorFlow's CPU kernels bit for bit, at any thread count.
//
// A stateful kernel owns one generator (seed, seed2): each run draws from a copy and then skips a fixed number of
// blocks (tf: GuardedPhiloxRandom::ReserveSamples128). A stateless op makes its generator from its inputs.
#pragma once
#include "kernels/base/kernel.h"
#include "kernels/base/philox.h"

namespace equiv::cpu {

enum class Distribution { kUniform, kNormal, kTruncatedNormal };

// Fills float16, bfloat16, float32 or float64 `out` from `generator`. tf: FillPhiloxRandom
void FillRandom(Distribution distribution, const Philox& generator, Array& out, ThreadPool& pool);
// int32 or int64 `out` in [low, high). `low` < `high` is the caller's duty. tf: UniformDistribution<int>
void FillUniformInt(const Philox& generator, std::int64_t low, std::int64_t high, Array& out, ThreadPool& pool);
// int32, int64, uint32 or uint64: all bits random.
void FillFullInt(const Philox& generator, Array& out, ThreadPool& pool);

KernelFactory RandomKernel(Distribution distribution);  // shape -> output
KernelFactory RandomUniformInt();                       // shape, minval, maxval
KernelFactory RandomShuffle();                          // value, shuffled along dimension 0
KernelFactory Multinomial();                            // logits [batch, classes], num_samples -> [batch, num_samples]

// Stateless, seed as a vector of two integers.
KernelFactory StatelessRandom(Distribution distribution);  // shape, seed
void StatelessRandomUniformInt(KernelContext& ctx);        // shape, seed, minval, maxval
void StatelessRandomUniformFullInt(KernelContext& ctx);    // shape, seed
void StatelessMultinomial(KernelContext& ctx);             // logits, num_samples, seed
// Stateless, second version: key [1], counter [2] and algorithm (1, Philox) come apart.
void StatelessRandomGetKeyCounter(KernelContext& ctx);       // seed -> key, counter
void StatelessRandomGetAlg(KernelContext& ctx);              // -> 1
void StatelessRandomGetKeyCounterAlg(KernelContext& ctx);    // seed -> key, counter, 1
KernelFactory StatelessRandomV2(Distribution distribution);  // shape, key, counter, alg
void StatelessRandomUniformIntV2(KernelContext& ctx);        // shape, key, counter, alg, minval, maxval
void StatelessRandomUniformFullIntV2(KernelContext& ctx);    // shape, key, counter, alg

// Householder QR of [..., m, n]: q [..., m, k], r [..., k, n] with k = min(m, n), or square q when full_matrices.
void Qr(KernelContext& ctx);

}  // namespace equiv::cpu
