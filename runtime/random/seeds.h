// runtime/random/seeds.h - where the seed pair of a random op comes from.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace equiv::runtime {

// Python's random.Random(seed) for an integer seed: MT19937 filled by init_by_array with the words of |seed|.
class PythonRandom {
 public:
  explicit PythonRandom(std::int64_t seed);
  ~PythonRandom();
  PythonRandom(PythonRandom&&) noexcept;
  PythonRandom& operator=(PythonRandom&&) noexcept;
  // An integer in [low, high]. high - low < 2^32. tf: random.Random.randint
  std::int64_t RandInt(std::int64_t low, std::int64_t high);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The attributes seed and seed2 of an op. (0, 0) is drawn from the operating system.
struct SeedPair {
  std::int64_t seed = 0, seed2 = 0;
  friend bool operator==(const SeedPair&, const SeedPair&) = default;
};

// Sets the global seed of the current context: of this graph, or of eager execution, where it also drops the state of
// every random op. tf: tf.random.set_seed
void SetRandomSeed(std::int64_t seed);
// The seed set so, of the current context.
std::optional<std::int64_t> RandomSeed();
// The pair of the next random op of the current context. tf: random_seed.get_seed
SeedPair GetSeed(std::optional<std::int64_t> op_seed = std::nullopt);

// Replaces GetSeed in this thread for the life of this object, in every context; the innermost one counts.
// tf: what DeterministicRandomTestTool does to random_seed.get_seed
using SeedFunction = std::function<SeedPair(std::optional<std::int64_t> op_seed)>;
class ScopedGetSeed {
 public:
  explicit ScopedGetSeed(SeedFunction replacement);
  ~ScopedGetSeed();
  ScopedGetSeed(const ScopedGetSeed&) = delete;
  ScopedGetSeed& operator=(const ScopedGetSeed&) = delete;
};

// Seeds of native Keras initialisers made after this call in this thread; also sets the global seed.
// tf: tf.keras.utils.set_random_seed
void SetKerasRandomSeed(std::int64_t seed);
// As if SetKerasRandomSeed had never been called in this thread.
void ForgetKerasRandomSeed();
// The next of them; from the operating system when no seed was set. tf: keras.backend's random seed generator
std::int64_t NextKerasSeed();

}  // namespace equiv::runtime
