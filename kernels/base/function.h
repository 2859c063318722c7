// kernels/base/function.h - functions that ops call: bodies of If and While, traced functions. tf: FunctionDef
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace equiv {

class Array;
class KernelContext;

// A function made ready for one kernel: it holds what lives as long as that kernel, random state and plans.
class FunctionBody {
 public:
  virtual ~FunctionBody() = default;
  // `caller`: the context of the calling kernel, whose variables and threads are used.
  virtual std::vector<Array> Run(const std::vector<Array>& inputs, KernelContext& caller) = 0;
};

class Function {
 public:
  Function();
  virtual ~Function();
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;
  // `backend`: of the calling kernel.
  virtual std::unique_ptr<FunctionBody> Instantiate(std::string_view backend) const = 0;
  // Unique among all functions of the process.
  std::uint64_t id() const { return id_; }

 private:
  std::uint64_t id_;
};

// The value of an attribute of kind "func": TensorFlow's name of a function, and the function itself.
struct FunctionRef {
  std::string name = {};
  std::shared_ptr<const Function> function = {};
};

}  // namespace equiv
