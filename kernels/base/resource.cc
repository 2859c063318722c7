#include "kernels/base/resource.h"

#include <fmt/format.h>

namespace equiv {

bool Variable::initialized() const {
  std::lock_guard lock(mutex_);
  return value_.has_value();
}
std::uint64_t Variable::version() const {
  std::lock_guard lock(mutex_);
  return version_;
}
Array Variable::Read(const std::string& reader) const {
  std::lock_guard lock(mutex_);
  if (!value_.has_value())
    throw FailedPreconditionError(
        fmt::format("[ReadVariableOp] '{}': Could not find variable {}. This could mean that the variable has been "
                    "deleted. In TF1, it "
                    "can also mean the variable is uninitialized. Run its initializer (GlobalVariablesInitializer) in "
                    "this session first.",
                    reader, name_));
  return value_;
}
void Variable::Assign(Array value, const std::string& writer) {
  if (value.dtype() != dtype_)
    throw InvalidArgumentError(fmt::format("[AssignVariableOp] '{}': variable '{}' holds {}, got a value of dtype {}",
                                           writer, name_, Name(dtype_), Name(value.dtype())));
  if (!shape_.IsCompatibleWith(value.shape()))
    throw InvalidArgumentError(
        fmt::format("[AssignVariableOp] '{}': variable '{}' has shape {}, got a value of shape {}", writer, name_,
                    shape_.ToString(), value.shape().ToString()));
  if (value.buffer()) value.buffer()->set_persistent();
  std::lock_guard lock(mutex_);
  value_ = std::move(value);
  ++version_;
}
void Variable::Clear() {
  std::lock_guard lock(mutex_);
  value_ = Array();
  ++version_;
}

std::shared_ptr<Variable> ResourceManager::LookupOrCreate(const std::string& name, DType dtype,
                                                          const PartialShape& shape) {
  std::lock_guard lock(mutex_);
  std::shared_ptr<Variable>& slot = variables_[name];
  if (!slot) slot = std::make_shared<Variable>(name, dtype, shape);
  if (slot->dtype() != dtype)
    throw InvalidArgumentError(fmt::format("[VarHandleOp] '{}': the variable holds {}, but this handle asks for {}",
                                           name, Name(slot->dtype()), Name(dtype)));
  return slot;
}
std::shared_ptr<Variable> ResourceManager::Find(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto it = variables_.find(name);
  return it == variables_.end() ? nullptr : it->second;
}
void ResourceManager::Clear() {
  std::lock_guard lock(mutex_);
  variables_.clear();
}
}  // namespace equiv
