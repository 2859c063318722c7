#include "equiv/harness/ablate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "kernels/base/error.h"
#include "kernels/base/flush.h"
#include "kernels/base/op_registry.h"
#include "runtime/eager/eager.h"

namespace equiv {
namespace {

struct TracedOp {
  std::string name, owner;
  const OpDef* def = nullptr;
  AttrMap attrs;
  std::vector<Array> inputs, outputs;
};

bool Interesting(const OpDef& def) {
  static const std::set<std::string> kPlumbing = {
      "Const", "Placeholder", "VarHandleOp", "ReadVariableOp", "VarIsInitializedOp", "NoOp", "Identity"};
  return !kPlumbing.contains(def.name) && !(def.name.starts_with("Assign") && def.name.ends_with("VariableOp"));
}

// Records the ops of the forward pass, and gives some of them values from outside.
class Tracer final : public runtime::Observer {
 public:
  explicit Tracer(bool keep_arrays) : keep_arrays_(keep_arrays) {}
  bool keep_inputs() const override { return keep_arrays_; }
  void OnOpDone(runtime::OpEvent& event) override {
    if (!listening || !Interesting(event.def)) return;
    const std::size_t index = ops.size();
    if (auto it = replace_by_index.find(index); it != replace_by_index.end()) Replace(event, it->second);
    TracedOp op{.name = event.name, .owner = event.owner, .def = &event.def, .attrs = {}, .inputs = {}, .outputs = {}};
    if (keep_arrays_) {
      op.attrs = event.attrs;
      op.inputs = event.inputs;
      op.outputs = event.outputs;
    }
    ops.push_back(std::move(op));
  }
  bool listening = false;
  std::vector<TracedOp> ops;
  std::map<std::size_t, Array> replace_by_index;

 private:
  static void Replace(runtime::OpEvent& event, const Array& value) {
    const Array& old = event.outputs.at(0);
    if (old.dtype() != value.dtype() || !(old.shape() == value.shape()))
      throw InvalidArgumentError(fmt::format("'{}' is {}{}, the value to fix it to is {}{}", event.name,
                                             Name(old.dtype()), old.shape().ToString(), Name(value.dtype()),
                                             value.shape().ToString()));
    event.outputs[0] = value;
  }
  bool keep_arrays_;
};

struct Traced {
  Recording recording;
  std::vector<TracedOp> ops;       // forward ops only
  std::vector<std::size_t> event;  // position of each among all traced events
};

Traced Trace(Side& side, RunRequest request, bool keep_arrays, const std::map<std::size_t, Array>& replace) {
  Tracer tracer(keep_arrays);
  tracer.replace_by_index = replace;
  const auto outer = request.progress;
  request.progress = [&tracer, outer](const std::string& phase) {
    tracer.listening = phase.ends_with(": forward") || phase.ends_with(": first call");
    if (outer) outer(phase);
  };
  Traced traced;
  {
    runtime::ScopedObserver listening(tracer);
    traced.recording = side.Run(request);
  }
  // In eager the initialisers run within the first call; they belong to variables.
  std::set<std::string> variables;
  for (const VariableRecord& v : traced.recording.variables) variables.insert(v.name.substr(0, v.name.size() - 2));
  for (std::size_t i = 0; i < tracer.ops.size(); ++i) {
    if (variables.contains(tracer.ops[i].owner)) continue;
    traced.ops.push_back(std::move(tracer.ops[i]));
    traced.event.push_back(i);
  }
  return traced;
}

// Pairs of positions of the longest common subsequence of op types.
std::vector<std::pair<std::size_t, std::size_t>> Pair(const std::vector<TracedOp>& a, const std::vector<TracedOp>& b) {
  const std::size_t n = a.size(), m = b.size();
  if (n * m > 100'000'000) throw ResourceExhaustedError("the model has too many ops to match; ablate a part of it");
  std::vector<std::uint16_t> length((n + 1) * (m + 1), 0);
  auto at = [&](std::size_t i, std::size_t j) -> std::uint16_t& { return length[i * (m + 1) + j]; };
  for (std::size_t i = n; i-- > 0;)
    for (std::size_t j = m; j-- > 0;)
      at(i, j) = a[i].def == b[j].def ? static_cast<std::uint16_t>(at(i + 1, j + 1) + 1)
                                      : std::max(at(i + 1, j), at(i, j + 1));
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0, j = 0; i < n && j < m;) {
    if (a[i].def == b[j].def && at(i, j) == at(i + 1, j + 1) + 1)
      pairs.emplace_back(i++, j++);
    else if (at(i + 1, j) >= at(i, j + 1))
      ++i;
    else
      ++j;
  }
  return pairs;
}

OpError Difference(const std::vector<Array>& a, const std::vector<Array>& b) {
  OpError error;
  double largest = 0;
  for (std::size_t k = 0; k < a.size() && k < b.size(); ++k) {
    if (!a[k].raw() || !b[k].raw()) continue;
    if (a[k].dtype() != b[k].dtype() || !(a[k].shape() == b[k].shape())) return {.comparable = false};
    if (BitwiseEqual(a[k], b[k]) && k > 0) continue;
    for (std::int64_t i = 0, n = a[k].num_elements(); i < n; ++i) {
      const double x = a[k].ElementAsDouble(i), y = b[k].ElementAsDouble(i);
      if (k == 0) largest = std::max(largest, std::abs(x));
      if (std::isnan(x) && std::isnan(y)) continue;
      const double d = x == y ? 0.0 : std::abs(x - y);
      error.max_abs = std::isnan(d) ? INFINITY : std::max(error.max_abs, d);
    }
  }
  error.scaled = error.max_abs == 0 ? 0 : largest > 0 ? error.max_abs / largest : INFINITY;
  return error;
}

// "scope/op:0" and "scope/op" both name an op; an end point's name stands for the op that made it.
std::string Stem(const std::string& name) { return name.ends_with(":0") ? name.substr(0, name.size() - 2) : name; }
}  // namespace

int Ablation::first_introducing() const {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (!rows[i].fixed && rows[i].introduced.comparable && rows[i].introduced.max_abs > 0) return static_cast<int>(i);
  return -1;
}

Ablation Ablate(Side& first, Side& second, const AblateOptions& options) {
  const ScopedKeepDenormals keep;
  RunRequest first_request = options.request, second_request = options.request;
  if (!options.second_backend.empty()) second_request.backend = options.second_backend;

  // A dry run of each side finds out which event is which op; random draws repeat because each run starts afresh.
  const Traced dry_first = Trace(first, first_request, true, {});
  const Traced dry_second = Trace(second, second_request, false, {});
  const auto pairs = Pair(dry_first.ops, dry_second.ops);

  std::map<std::string, std::size_t> pair_of_name;  // op name, or end point name
  std::vector<std::string> end_point(pairs.size());
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const TracedOp& op = dry_first.ops[pairs[p].first];
    pair_of_name[op.name] = p;
    for (const NamedArray& output : dry_first.recording.outputs)
      if (output.name != "output" && !op.outputs.empty() && op.outputs[0].buffer() == output.array.buffer() &&
          output.array.buffer() && op.outputs[0].shape() == output.array.shape()) {
        end_point[p] = output.name;
        pair_of_name[output.name] = p;
      }
  }
  auto find = [&](const std::string& name) {
    auto it = pair_of_name.find(Stem(name));
    if (it == pair_of_name.end())
      throw NotFoundError(
          fmt::format("no op or end point '{}' in both runs of this model; `equiv ablate` without --from, --to and "
                      "--fix lists them all",
                      name));
    return it->second;
  };
  const std::size_t from = options.from.empty() ? 0 : find(options.from),
                    to = options.to.empty() ? pairs.size() : find(options.to) + 1;
  if (!pairs.empty() && from >= to)
    throw InvalidArgumentError(fmt::format("'{}' comes after '{}' in the program", options.from, options.to));

  std::map<std::size_t, Array> fix_first, fix_second;
  std::set<std::size_t> fixed;
  for (const auto& [name, value] : options.fix) {
    const std::size_t p = find(name);
    fixed.insert(p);
    fix_first[dry_first.event[pairs[p].first]] = value;
    fix_second[dry_second.event[pairs[p].second]] = value;
  }
  if (!options.from.empty() && !fixed.contains(from)) {
    // Start from the first side's own value, so that nothing before `from` can be inherited.
    fixed.insert(from);
    fix_second[dry_second.event[pairs[from].second]] = dry_first.ops[pairs[from].first].outputs.at(0);
  }
  const Traced a = fix_first.empty() ? Traced() : Trace(first, first_request, true, fix_first);
  const std::vector<TracedOp>& first_ops = fix_first.empty() ? dry_first.ops : a.ops;
  const Traced b = Trace(second, second_request, true, fix_second);

  Ablation result;
  std::set<std::size_t> paired_first, paired_second;
  for (const auto& [i, j] : pairs) {
    paired_first.insert(i);
    paired_second.insert(j);
  }
  for (std::size_t i = 0; i < first_ops.size(); ++i)
    if (!paired_first.contains(i)) result.only_first.push_back(first_ops[i].name);
  for (std::size_t j = 0; j < b.ops.size(); ++j)
    if (!paired_second.contains(j)) result.only_second.push_back(b.ops[j].name);

  runtime::EagerScope eager_scope;
  runtime::EagerContext& eager = runtime::EagerContext::Get();
  eager.SetBackend(second_request.backend);
  for (std::size_t p = from; p < to; ++p) {
    const TracedOp& x = first_ops.at(pairs[p].first);
    const TracedOp& y = b.ops.at(pairs[p].second);
    AblateRow row{.name = x.name,
                  .op = x.def->name,
                  .end_point = end_point[p],
                  .shape = {},
                  .fixed = fixed.contains(p),
                  .total = {},
                  .inherited = {},
                  .introduced = {}};
    if (!x.outputs.empty()) row.shape = x.outputs[0].shape();
    row.total = Difference(x.outputs, y.outputs);
    const bool again = !x.def->stateful && std::ranges::all_of(x.inputs, [](const Array& in) {
      return in.has_value() && in.dtype() != DType::kResource;
    });
    if (row.fixed) {
      // nothing of its own
    } else if (!again) {
      row.introduced = row.total;
    } else {
      std::vector<Value> inputs(x.inputs.begin(), x.inputs.end());
      std::vector<Array> outputs;
      for (const Value& v : eager.AddOp(x.def->name, inputs, y.attrs)) outputs.push_back(v.array());
      row.introduced = Difference(x.outputs, outputs);
      row.inherited = Difference(outputs, y.outputs);
    }
    result.rows.push_back(std::move(row));
  }
  eager.Reset();
  return result;
}
}  // namespace equiv
