#include "runtime/function/graph_function.h"

#include <fmt/format.h>

#include "kernels/base/error.h"
#include "kernels/base/kernel.h"
#include "runtime/session/session.h"

namespace equiv::runtime {
namespace {

class Body final : public FunctionBody {
 public:
  Body(const GraphFunction& function, Graph& graph, std::string backend)
      : function_(function), graph_(graph), backend_(std::move(backend)) {}

  std::vector<Array> Run(const std::vector<Array>& inputs, KernelContext& caller) override {
    const auto& captures = graph_.captures();
    if (inputs.size() != function_.inputs.size() + captures.size())
      throw InvalidArgumentError(fmt::format("{}function '{}' takes {} arguments, got {}", caller.Where(),
                                             function_.name(), function_.inputs.size() + captures.size(),
                                             inputs.size()));
    if (!session_) {
      SessionOptions options;
      options.backend = backend_;
      options.pool = &caller.pool();
      options.resources = &caller.resources();
      session_ = std::make_unique<Session>(graph_, options);
    }
    std::vector<Feed> feeds;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      feeds.push_back(
          {i < function_.inputs.size() ? function_.inputs[i] : Tensor(captures[i - function_.inputs.size()].second),
           inputs[i]});
    Fetch::List fetches(function_.outputs.begin(), function_.outputs.end());
    for (Node* node : function_.stateful) fetches.emplace_back(node);
    std::vector<Array> outputs;
    if (fetches.empty()) return outputs;
    const Fetched fetched = session_->RunNested(Fetch(std::move(fetches)), feeds);
    for (std::size_t i = 0; i < function_.outputs.size(); ++i) outputs.push_back(fetched[i].array);
    return outputs;
  }

 private:
  const GraphFunction& function_;
  Graph& graph_;
  std::string backend_;
  std::unique_ptr<Session> session_;
};
}  // namespace

std::unique_ptr<FunctionBody> GraphFunction::Instantiate(std::string_view backend) const {
  return std::make_unique<Body>(*this, graph_, std::string(backend));
}
}  // namespace equiv::runtime
