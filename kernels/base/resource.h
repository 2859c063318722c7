// kernels/base/resource.h - variables as resources. tf: resource variables (VarHandleOp and friends).
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "kernels/base/array.h"

namespace equiv {

// One variable's storage. `version` rises with every write. Thread-safe.
class Variable {
 public:
  Variable(std::string name, DType dtype, PartialShape shape)
      : name_(std::move(name)), dtype_(dtype), shape_(std::move(shape)) {}
  const std::string& name() const { return name_; }  // without ":0"
  DType dtype() const { return dtype_; }
  const PartialShape& shape() const { return shape_; }
  bool initialized() const;
  std::uint64_t version() const;
  // The value, sharing its buffer. FailedPreconditionError when uninitialised:
  // tf: "Could not find variable NAME. ... In TF1, it can also mean the variable is uninitialized."
  Array Read(const std::string& reader) const;
  // Takes the value (buffer shared); InvalidArgumentError on another dtype or an incompatible shape.
  void Assign(Array value, const std::string& writer);
  void Clear();

 private:
  std::string name_;
  DType dtype_;
  PartialShape shape_;
  mutable std::mutex mutex_;
  Array value_;
  std::uint64_t version_ = 0;
};

// The variables of one Session, or of the eager context, by shared_name. Thread-safe.
class ResourceManager {
 public:
  std::shared_ptr<Variable> LookupOrCreate(const std::string& name, DType dtype, const PartialShape& shape);
  std::shared_ptr<Variable> Find(const std::string& name) const;  // null when absent
  void Clear();

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Variable>> variables_;
};

}  // namespace equiv
