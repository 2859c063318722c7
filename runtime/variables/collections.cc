#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "kernels/base/error.h"
#include "runtime/variables/scope_state.h"

namespace equiv::runtime {
namespace {

internal::Collections& CollectionsOf(Context& context) {
  if (!context.eager()) {
    if (Context* outer = context.Slot<internal::TraceLink>().outer) return CollectionsOf(*outer);
  }
  return context.Slot<internal::Collections>();
}

}  // namespace

std::string ItemName(const CollectionItem& item) {
  if (const auto* variable = std::get_if<Variable>(&item)) return variable->name();
  if (const auto* tensor = std::get_if<Tensor>(&item)) return tensor->symbolic() ? TensorName(*tensor) : "";
  if (std::holds_alternative<UnreadVariable>(item)) return "UnreadVariable";
  Node* node = std::get<Node*>(item);
  return node ? node->name() : "";
}

namespace {

template <class T>
std::vector<T> ItemsOfType(std::string_view collection) {
  std::vector<T> items;
  auto& all = CollectionsOf(Current()).items;
  auto it = all.find(collection);
  if (it == all.end()) return items;
  items.reserve(it->second.size());
  for (const CollectionItem& item : it->second)
    if (const T* typed = std::get_if<T>(&item)) items.push_back(*typed);
  return items;
}

}  // namespace

void AddToCollection(std::string_view collection, const CollectionItem& item) {
  auto& all = CollectionsOf(Current()).items;
  auto it = all.find(collection);
  if (it == all.end()) it = all.emplace(std::string(collection), std::vector<CollectionItem>()).first;
  it->second.push_back(item);
}

std::vector<CollectionItem> GetCollection(std::string_view collection, std::string_view scope) {
  auto& all = CollectionsOf(Current()).items;
  auto it = all.find(collection);
  if (it == all.end()) return {};
  if (scope.empty()) return it->second;
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 pattern(re2::StringPiece(scope.data(), scope.size()), options);
  if (!pattern.ok())
    throw ValueError(fmt::format("GetCollection('{}', '{}'): the scope is no regular expression: {}", collection, scope,
                                 pattern.error()));
  std::vector<CollectionItem> items;
  for (const CollectionItem& item : it->second) {
    const std::string name = ItemName(item);
    if (!name.empty() && pattern.Match(name, 0, name.size(), RE2::ANCHOR_START, nullptr, 0)) items.push_back(item);
  }
  return items;
}

std::vector<Variable> VariablesOf(std::string_view collection, std::string_view scope) {
  std::vector<Variable> variables;
  for (const CollectionItem& item : GetCollection(collection, scope))
    if (const auto* variable = std::get_if<Variable>(&item)) variables.push_back(*variable);
  return variables;
}

std::vector<std::string> CollectionsHolding(const Variable& variable) {
  std::vector<std::string> names;
  for (const auto& [name, items] : CollectionsOf(Current()).items)
    if (std::ranges::any_of(items, [&](const CollectionItem& item) {
          const auto* held = std::get_if<Variable>(&item);
          return held && *held == variable;
        }))
      names.push_back(name);
  return names;
}

std::vector<Variable> GlobalVariables() { return ItemsOfType<Variable>(kGlobalVariables); }
std::vector<Variable> TrainableVariables() { return ItemsOfType<Variable>(kTrainableVariables); }
std::vector<Tensor> RegularizationLosses() { return ItemsOfType<Tensor>(kRegularizationLosses); }
std::vector<Node*> UpdateOps() { return ItemsOfType<Node*>(kUpdateOps); }

Node* GlobalVariablesInitializer() {
  Graph* graph = Current().graph();
  if (!graph) return nullptr;
  std::vector<Node*> initializers;
  for (const Variable& variable : GlobalVariables())
    if (variable.initializer()) initializers.push_back(variable.initializer());
  return Group(initializers, "init");
}

}  // namespace equiv::runtime
