#include "runtime/layers/module.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/layers/layer.h"
#include "runtime/variables/scope_state.h"

namespace equiv::runtime {

std::string SnakeCase(std::string_view class_name) {
  static const RE2 words("(.)([A-Z][a-z]+)"), humps("([a-z])([A-Z])");
  std::string snake(class_name);
  RE2::GlobalReplace(&snake, words, "\\1_\\2");
  RE2::GlobalReplace(&snake, humps, "\\1_\\2");
  std::ranges::transform(snake, snake.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return snake.starts_with('_') ? "private" + snake : snake;
}

Module::Module(std::string class_name, std::string name) : class_name_(std::move(class_name)), name_(std::move(name)) {
  if (name_.empty()) name_ = SnakeCase(class_name_);
}
Module::~Module() = default;

void Module::SetAttribute(const std::string& name, Attribute value) {
  Track(name, value);
  std::erase_if(attributes_, [&](const auto& item) { return item.first == name; });
  attributes_.emplace_back(name, std::move(value));
}

Attribute::Dict Module::Properties() const {
  Attribute::Dict all = attributes_;
  if (store_) all.emplace_back("_tf1_style_var_store", Attribute{StoreProperties()});
  return all;
}

Attribute::Dict Module::StoreProperties() const {
  Attribute::Dict layers, variables;
  for (const auto& [key, layer] : store_->layers)
    layers.emplace_back(key, Attribute{std::static_pointer_cast<Module>(layer)});
  for (const auto& [key, variable] : store_->variables()) variables.emplace_back(key, Attribute{variable});
  return {{"_layers", Attribute{std::move(layers)}}, {"_vars", Attribute{std::move(variables)}}};
}

namespace {
void SortByKey(Attribute::Dict& dict) {
  std::ranges::stable_sort(dict, [](const auto& a, const auto& b) { return a.first < b.first; });
}
// Leaves of a nest in the order of nest.flatten: dictionaries by key, lists by index.
void Leaves(const Attribute& attribute, const std::function<void(const Attribute&)>& visit) {
  if (const auto* list = std::get_if<Attribute::List>(&attribute.value)) {
    for (const Attribute& item : *list) Leaves(item, visit);
  } else if (const auto* dict = std::get_if<Attribute::Dict>(&attribute.value)) {
    Attribute::Dict sorted = *dict;
    SortByKey(sorted);
    for (const auto& [key, item] : sorted) Leaves(item, visit);
  } else {
    visit(attribute);
  }
}
}  // namespace

void Module::Walk(std::vector<Variable>& found, std::vector<const void*>& seen) const {
  Attribute::Dict properties = Properties();
  // The store is a module of its own, walked after the own attributes.
  Attribute store;
  std::erase_if(properties, [&](auto& item) {
    if (item.first != "_tf1_style_var_store") return false;
    store = item.second;
    return true;
  });
  SortByKey(properties);
  std::vector<std::pair<std::string, const Module*>> submodules;
  const auto first_time = [&seen](const void* object) {
    if (std::ranges::find(seen, object) != seen.end()) return false;
    seen.push_back(object);
    return true;
  };
  const auto visit = [&](const std::string& key) {
    return [&, key](const Attribute& leaf) {
      if (const auto* variable = std::get_if<Variable>(&leaf.value)) {
        if (first_time(&variable->impl())) found.push_back(*variable);
      } else if (const auto* object = std::get_if<std::shared_ptr<Trackable>>(&leaf.value)) {
        const auto* module = dynamic_cast<const Module*>(object->get());
        if (module && first_time(module)) submodules.emplace_back(key, module);
      }
    };
  };
  bool store_walked = !store_;
  const auto walk_store = [&] {
    store_walked = true;
    submodules.emplace_back("_tf1_style_var_store", nullptr);
  };
  for (const auto& [key, attribute] : properties) {
    if (!store_walked && key > "_tf1_style_var_store") walk_store();
    Leaves(attribute, visit(key));
  }
  if (!store_walked) walk_store();
  for (std::size_t i = 0; i < submodules.size(); ++i) {
    if (submodules[i].second) {
      submodules[i].second->Walk(found, seen);
      continue;
    }
    std::vector<std::pair<std::string, const Module*>> outer;
    outer.swap(submodules);
    Leaves(store, visit("_tf1_style_var_store"));
    outer.swap(submodules);  // `outer` holds the store's layers now: they come after its variables
    for (const auto& [key, module] : outer) module->Walk(found, seen);
  }
}

std::vector<Variable> Module::variables() const {
  std::vector<Variable> found;
  std::vector<const void*> seen = {this};
  Walk(found, seen);
  return found;
}
std::vector<Variable> Module::trainable_variables() const {
  std::vector<Variable> all = variables();
  std::erase_if(all, [](const Variable& v) { return !v.trainable(); });
  return all;
}
std::vector<Variable> Module::non_trainable_variables() const {
  std::vector<Variable> all = variables();
  std::erase_if(all, [](const Variable& v) { return v.trainable(); });
  return all;
}

VariableStore& Module::Store() {
  if (!store_) {
    store_ = std::make_unique<VariableStore>();
    // tf: _EagerVariableStore, whose dictionaries are dependencies
    auto variables = std::make_shared<TrackableDict>(), layers = std::make_shared<TrackableDict>();
    auto node = std::make_shared<TrackableDict>();
    node->Set("_vars", variables);
    node->Set("_regularizers", std::make_shared<TrackableDict>());
    node->Set("_layers", layers);
    store_->on_variable = [variables](const std::string& key, const Variable& v) { variables->Set(key, v); };
    store_->on_layer = [layers](const std::string& key, const std::shared_ptr<void>& layer) {
      layers->Set(key, std::static_pointer_cast<Module>(layer));
    };
    Track("_tf1_style_var_store", node);
    OnStoreCreated();
  }
  return *store_;
}
void Module::AddTrackedLosses(std::size_t) {}

Module::ShimCall::ShimCall(Module& module)
    : module_(module), before_(module.Store().losses().size()), scope_(*module.store_) {}
void Module::ShimCall::Finish() { module_.AddTrackedLosses(before_); }

std::shared_ptr<Module> GetOrCreateLayer(std::string_view name,
                                         const std::function<std::shared_ptr<Module>()>& create) {
  VariableStore* store = CurrentVariableStore();
  if (!store) {
    if (!internal::InitContext().eager()) return create();
    throw ValueError(
        "Tried to call get_or_create_layer in eager mode from a method notdecorated with "
        "@tf.compat.v1.keras.utils.track_tf1_style_variables.");
  }
  const std::string key = CurrentVariableScopeName() + "/" + std::string(name);
  for (const auto& [existing, layer] : store->layers)
    if (existing == key) return std::static_pointer_cast<Module>(layer);
  std::shared_ptr<Module> made = create();
  if (!made) throw ValueError(fmt::format("GetOrCreateLayer('{}'): the function made nothing", name));
  store->AddLayer(key, made);
  if (auto layer = std::dynamic_pointer_cast<Layer>(made)) {
    store->AddLoss({key, [weak = std::weak_ptr<Layer>(layer)]() -> Tensor {
                      const std::shared_ptr<Layer> held = weak.lock();
                      if (!held) return {};
                      const std::vector<Tensor> losses = held->losses();
                      if (losses.empty()) return Constant(0.0F);
                      Context& context = Current();
                      const Tensor packed = context.AddOp("Pack", losses, {{"axis", std::int64_t{0}}}).at(0);
                      return ReduceSum(packed, {0});
                    }});
  }
  return made;
}

}  // namespace equiv::runtime
