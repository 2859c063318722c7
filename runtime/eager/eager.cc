#include "runtime/eager/eager.h"

#include <algorithm>
#include <unordered_map>

#include "kernels/base/flush.h"
#include "runtime/core/hooks.h"

namespace equiv::runtime {
namespace {
const std::string kNoName;

struct CachedKernel {
  const OpDef* def = nullptr;
  AttrMap attrs;  // complete
  std::vector<DType> output_dtypes;
  std::unique_ptr<Kernel> kernel;
};

std::string KeyOf(const OpDef* def, std::span<const Value> inputs, const AttrMap& attrs) {
  std::string key;
  key.reserve(64);
  key.append(reinterpret_cast<const char*>(&def), sizeof def);
  for (const Value& v : inputs) key.push_back(static_cast<char>(v.dtype()));
  AppendKey(attrs, key);
  return key;
}
}  // namespace

struct EagerContext::State {
  const Backend* backend = &OpRegistry::Global().GetBackend("auto");
  ResourceManager resources;
  // By the attributes as given, and by the complete ones: spelling a default out must not start another random stream.
  std::unordered_map<std::string, std::shared_ptr<CachedKernel>> as_given, complete;
  std::int64_t executed = 0;

  CachedKernel& KernelFor(const OpDef& def, std::span<const Value> inputs, const AttrMap& attrs) {
    std::shared_ptr<CachedKernel>& slot = as_given[KeyOf(&def, inputs, attrs)];
    if (slot) return *slot;
    std::vector<DType> dtypes;
    for (const Value& v : inputs) dtypes.push_back(v.dtype());
    auto fresh = std::make_shared<CachedKernel>();
    fresh->def = &def;
    fresh->attrs = attrs;
    fresh->output_dtypes = CompleteAttrs(def, dtypes, fresh->attrs, {});
    std::shared_ptr<CachedKernel>& same = complete[KeyOf(&def, inputs, fresh->attrs)];
    if (!same) {
      fresh->kernel = OpRegistry::Global().FindKernel(def, *backend)({def, fresh->attrs, kNoName, backend->name});
      same = std::move(fresh);
    }
    slot = same;
    return *slot;
  }
};

EagerContext::EagerContext() : Context(/*eager=*/true), state_(std::make_unique<State>()) {}
EagerContext::~EagerContext() = default;
EagerContext& EagerContext::Get() {
  static EagerContext* context = new EagerContext;  // outlives every static that may still run ops
  return *context;
}

std::string EagerContext::OpenNameScope(std::string_view name) {
  if (name.empty()) return {};
  if (name.back() == '/') return std::string(name.substr(0, name.size() - 1));
  return name_scope().empty() ? std::string(name) : name_scope() + "/" + std::string(name);
}

std::vector<Value> EagerContext::AddOp(std::string_view op, std::span<const Value> inputs, const AttrMap& attrs,
                                       std::string_view name) {
  State& s = *state_;
  const OpDef& def = OpRegistry::Global().Get(op);
  for (const Value& v : inputs) {
    if (v.symbolic())
      throw TypeError(OpWhere(op, {}) +
                      "got a symbolic tensor in eager execution: it belongs to a graph that is no longer the current "
                      "one; run it in a Session");
    if (!v.has_value()) throw ValueError(OpWhere(op, {}) + "an input has no value");
  }
  CachedKernel* cached = nullptr;
  try {
    cached = &s.KernelFor(def, inputs, attrs);
  } catch (const TypeError& error) {
    s.as_given.erase(KeyOf(&def, inputs, attrs));
    throw InvalidArgumentError(error.what());  // tf: the eager runtime finds wrong dtypes, not Python
  } catch (...) {
    s.as_given.erase(KeyOf(&def, inputs, attrs));  // the empty entry of a failed attempt
    throw;
  }
  std::vector<Array> arrays, outputs(cached->output_dtypes.size());
  arrays.reserve(inputs.size());
  for (const Value& v : inputs) arrays.push_back(v.array());
  if (def.shape) {
    // The same function that guards graphs, so that a bad shape gives the same error here.
    std::vector<PartialShape> shapes;
    std::vector<const Array*> constants;
    shapes.reserve(arrays.size());
    constants.reserve(arrays.size());
    for (const Array& a : arrays) {
      shapes.emplace_back(a.shape());
      constants.push_back(a.dtype() == DType::kResource ? nullptr : &a);
    }
    InferShapes(def, cached->attrs, {}, shapes, constants, outputs.size());
  }
  if (s.backend->prepare) s.backend->prepare(ThreadPool::Default().size());
  {
    ScopedFlushDenormals flush;
    KernelContext context(def, cached->attrs, kNoName, arrays, outputs, cached->output_dtypes, s.resources,
                          ThreadPool::Default());
    cached->kernel->Run(context);
  }
  ++s.executed;
  if (const std::vector<Observer*>* observers = ActiveObservers()) {
    std::string full = name_scope().empty() ? std::string() : name_scope() + "/";
    full += name.empty() || name.back() == '/' ? op : name;
    OpEvent event{def, cached->attrs, std::move(full), nullptr, s.executed, owner(), call_site(), arrays, outputs};
    for (Observer* o : *observers) o->OnOpDone(event);
  }
  std::vector<Value> values;
  values.reserve(outputs.size());
  for (Array& a : outputs) values.emplace_back(std::move(a));
  return values;
}

void EagerContext::SetBackend(std::string_view name) {
  const Backend* backend = &OpRegistry::Global().GetBackend(name);
  if (backend == state_->backend) return;
  state_->backend = backend;
  ClearKernelCache();
}
const Backend& EagerContext::backend() const { return *state_->backend; }
void EagerContext::ClearKernelCache() {
  state_->as_given.clear();
  state_->complete.clear();
}
void EagerContext::Reset() {
  ClearKernelCache();
  state_->resources.Clear();
  ClearSlots();
  set_name_scope({});
  set_owner({});
}
std::int64_t EagerContext::ops_executed() const { return state_->executed; }
}  // namespace equiv::runtime
