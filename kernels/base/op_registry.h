// kernels/base/op_registry.h - all ops, and which backend runs which of them.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/base/op_def.h"

namespace equiv {

// A backend overrides some ops; everything else falls back to `cpu`.
struct Backend {
  std::string name;         // "cpu", "onednn"
  std::string description;  // library and version
  int speed = 0;            // `auto` takes the available backend with the highest
  std::map<std::string, KernelFactory, std::less<>> kernels;
  // Called before a run with this backend (thread counts of foreign runtimes); may be empty.
  std::function<void(int threads)> prepare;
};

class OpRegistry {
 public:
  void Add(OpDef def);  // parses the notation; InternalError when the name exists
  // The gradient of an op that is there already; InternalError otherwise.
  void SetGradient(std::string_view name, GradFn grad);
  const OpDef* Find(std::string_view name) const;
  // The op, or NotFoundError naming close spellings.
  const OpDef& Get(std::string_view name) const;
  std::vector<const OpDef*> All() const;  // sorted by name

  void AddBackend(Backend backend);
  const std::vector<Backend>& backends() const { return backends_; }
  // "cpu", "onednn", or "auto"; ValueError naming the present ones otherwise.
  const Backend& GetBackend(std::string_view name) const;
  // The backend's kernel, else the reference kernel; UnimplementedError when the op has neither.
  const KernelFactory& FindKernel(const OpDef& def, const Backend& backend) const;

  // The registry with every family of kernels/ops and every backend built in. Defined in kernels/ops/registry.cc.
  static const OpRegistry& Global();

 private:
  std::map<std::string, std::unique_ptr<OpDef>, std::less<>> ops_;
  std::vector<Backend> backends_;
};

}  // namespace equiv
