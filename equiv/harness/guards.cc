#include "equiv/harness/guards.h"

#include <fmt/format.h>

#include "equiv/harness/recording.h"
#include "kernels/base/error.h"

namespace equiv {
namespace {
constexpr const char* kUsualCauses =
    "Usual causes: a tf.Variable made on every call (keep it as an attribute), a layer object made in the forward pass "
    "(make it once), or unnamed v1 layers outside a named variable scope (name them, or open a scope around them).";
}

AssertNoVariableCreations::AssertNoVariableCreations()
    : scope_(std::make_unique<runtime::VariableCreatorScope>(
          [](const runtime::VariableNext&, const runtime::VariableCreationArgs& args) -> runtime::Variable {
            throw ValueError(
                fmt::format("Attempted to create a new variable instead of reusing an existing one. Args: {}\n{}\n{}",
                            args.ToPythonDict(), "created at " + SiteText(args.call_site), kUsualCauses));
          })) {}
AssertNoVariableCreations::~AssertNoVariableCreations() = default;

CatchAndRaiseCreatedVariables::CatchAndRaiseCreatedVariables()
    : created_(std::make_shared<std::vector<runtime::Variable>>()),
      scope_(std::make_unique<runtime::VariableCreatorScope>(
          [created = created_](const runtime::VariableNext& next, const runtime::VariableCreationArgs& args) {
            runtime::Variable variable = next(args);
            created->push_back(variable);
            return variable;
          })) {}
CatchAndRaiseCreatedVariables::~CatchAndRaiseCreatedVariables() = default;

void CatchAndRaiseCreatedVariables::Finish() {
  scope_.reset();
  if (created_->empty()) return;
  std::string list, sites;
  for (const runtime::Variable& v : *created_) {
    list += (list.empty() ? "" : ", ") + v.Describe();
    sites += fmt::format("\n{} created at {}", v.name(), SiteText(v.created_at()));
  }
  throw ValueError(fmt::format("('Created vars:', [{}]){}\n{}", list, sites, kUsualCauses));
}
}  // namespace equiv
