#include "equiv/programs/interpreter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "equiv/programs/encode.h"
#include "equiv/programs/objects.h"
#include "equiv/programs/statements.h"
#include "kernels/base/error.h"
#include "runtime/core/ops.h"
#include "runtime/eager/eager.h"
#include "runtime/random/seeds.h"
#include "runtime/session/session.h"

namespace equiv::programs {
namespace {

using nlohmann::json;
using Source = nlohmann::ordered_json;  // programs: the order of dictionaries counts

std::string PythonRepr(const Source& v) {
  if (v.is_string()) return "'" + v.get<std::string>() + "'";
  if (v.is_null()) return "None";
  if (v.is_boolean()) return v.get<bool>() ? "True" : "False";
  if (v.is_array()) {
    std::string text;
    for (const Source& item : v) text += (text.empty() ? "" : ", ") + PythonRepr(item);
    return "[" + text + "]";
  }
  return v.dump();
}
std::string LabelOf(const Source& v) { return v.is_string() ? v.get<std::string>() : PythonRepr(v); }

// ---- the running program

struct Returned {
  Value value;
};

class Program final : public Running {
 public:
  Program(Mode mode, std::string backend) : mode_(mode), backend_(std::move(backend)) {}
  Mode mode() const override { return mode_; }
  bool graph_mode() const { return mode_ != Mode::kEager; }

  void Note(const std::string& label, json value) override { observations_.push_back(json::array({label, value})); }

  // nullopt: fell through.
  std::optional<Returned> Block(const Source& statements, const Scope& env) {
    for (const Source& s : statements)
      if (auto returned = Statement(s, env)) return returned;
    return std::nullopt;
  }

  json Run(const Source& program, bool op_names) {
    json out;
    rt::EagerContext& eager = rt::EagerContext::Get();
    eager.Reset();
    eager.SetBackend(backend_);
    rt::ForgetKerasRandomSeed();
    rt::EagerScope outside;
    std::optional<rt::GraphScope> in_graph;
    if (graph_mode()) {
      graph_ = std::make_unique<rt::Graph>();
      in_graph.emplace(*graph_);
      rt::EnableResourceVariables(mode_ != Mode::kGraphV1);
      session_ = std::make_unique<rt::Session>(*graph_, rt::SessionOptions{.backend = backend_});
    }
    rt::VariableCreatorScope recorder([this](const rt::VariableNext& next, const rt::VariableCreationArgs& args) {
      rt::Variable v = next(args);
      if (v.graph() == graph_.get()) created_.push_back(v);  // a graph the program made has creators of its own
      return v;
    });
    json raised;
    auto top = std::make_shared<Environment>();
    try {
      Block(program, top);
    } catch (const UnknownPath&) {
      throw;
    } catch (const Error& error) {
      raised = {{"error", std::string(error.kind())}, {"message", FirstLine(error.what())}};
    }
    json rows = json::array();
    for (const rt::Variable& v : created_) {
      json row = VariableRow(v);
      row.push_back(graph_mode() ? json(rt::CollectionsHolding(v)) : json::array());
      if (graph_mode()) row.push_back(v.is_reference() ? "ref" : "resource");
      rows.push_back(row);
    }
    out["variables"] = rows;
    if (!raised.is_null()) out["raised"] = raised;
    if (graph_mode()) {
      for (const char* key : {"regularization_losses", "update_ops", "losses"}) {
        json names = json::array();
        for (const rt::CollectionItem& item : rt::GetCollection(key)) names.push_back(rt::ItemName(item));
        if (!names.empty()) out[key] = names;
      }
      if (op_names) {
        json names = json::array();
        for (const auto& node : graph_->nodes()) names.push_back(node->name());
        out["op_names"] = names;
      }
    }
    out["observations"] = observations_;
    // Objects hold on to each other through closures; the environment goes first.
    top->values.clear();
    return out;
  }

  Value Resolve(const Source& v, const Scope& env) {
    if (v.is_string()) {
      const auto& s = v.get_ref<const std::string&>();
      return s.starts_with('$') ? Lookup(s.substr(1), env) : Value(s);
    }
    if (v.is_null()) return {};
    if (v.is_boolean()) return Value(v.get<bool>());
    if (v.is_number_integer()) return Value(v.get<std::int64_t>());
    if (v.is_number()) return Value(v.get<double>());
    if (v.is_array()) {
      List items;
      for (const Source& item : v) items.push_back(Resolve(item, env));
      return Value(std::move(items));
    }
    if (v.contains("@")) return Call(FindPath(v["@"].get<std::string>()), ArgumentsOf(v, env));
    if (v.contains("&")) return FindPath(v["&"].get<std::string>());
    Dict items;
    for (const auto& [key, item] : v.items()) items.emplace_back(key, Resolve(item, env));
    return Value(std::move(items));
  }

 private:
  static std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')).substr(0, 400); }

  static json VariableRow(const rt::Variable& v) {
    json shape;
    if (v.shape().has_rank()) {
      shape = json::array();
      for (std::int64_t d : v.shape().dims()) shape.push_back(d < 0 ? json() : json(d));
    }
    return json::array({v.name(), shape, v.dtype_name(), v.trainable()});
  }

  Value Lookup(const std::string& path, const Scope& env) {
    std::size_t at = path.find('.');
    const std::string head = path.substr(0, at);
    const Value* found = env->Find(head);
    if (!found) throw KeyError(fmt::format("'no such reference ${}'", head));
    Value value = *found;
    while (at != std::string::npos) {
      const std::size_t next = path.find('.', at + 1);
      const std::string part = path.substr(at + 1, next == std::string::npos ? next : next - at - 1);
      at = next;
      if (!part.empty() && std::ranges::all_of(part, [](unsigned char c) { return std::isdigit(c); })) {
        const auto i = static_cast<std::size_t>(std::stoul(part));
        if (const auto* shape = value.As<PartialShape>()) {
          if (static_cast<int>(i) >= shape->rank()) throw IndexError("list index out of range");
          const std::int64_t d = shape->dim(static_cast<int>(i));
          value = d < 0 ? Value() : Value(d);
          continue;
        }
        if (!value.list()) throw TypeError(fmt::format("'{}' object is not subscriptable", value.TypeName()));
        if (i >= value.list()->size()) throw IndexError("list index out of range");
        const Value item = (*value.list())[i];
        value = item;
      } else {
        const Value attribute = GetAttribute(value, part);
        value = attribute;
      }
    }
    return value;
  }

  Arguments ArgumentsOf(const Source& s, const Scope& env) {
    Arguments arguments;
    if (s.contains("args"))
      for (const Source& a : s["args"]) arguments.positional.push_back(Resolve(a, env));
    if (s.contains("kw"))
      for (const auto& [key, value] : s["kw"].items()) arguments.named.emplace_back(key, Resolve(value, env));
    return arguments;
  }

  // Graph: initialises what is new, then fetches everything in one run.
  void InitialiseNew() {
    rt::Fetch::List fetches;
    for (; initialised_ < created_.size(); ++initialised_)
      if (rt::Node* node = created_[initialised_].initializer()) fetches.push_back(node);
    if (!fetches.empty()) session_->RunNested(rt::Fetch(std::move(fetches)), feeds_);
  }
  std::vector<Array> Materialise(const std::vector<Value>& values) {
    std::vector<Array> arrays;
    if (!graph_mode()) {
      for (const Value& v : values) arrays.push_back(ToTensor(v, "eval").array());
      return arrays;
    }
    std::vector<rt::Tensor> tensors;
    for (const Value& v : values) {
      if (const auto* variable = v.As<rt::Variable>()) {
        tensors.push_back(variable->value());
      } else if (v.As<rt::Tensor>()) {
        tensors.push_back(*v.As<rt::Tensor>());
      } else if (v.As<std::shared_ptr<Object>>()) {
        tensors.push_back(ToTensor(v, "eval"));
      } else {
        throw TypeError(
            fmt::format("Argument `fetch` = {} has invalid type \"{}\". Cannot be interpreted as a Tensor or "
                        "Operation.",
                        v.ToString(), v.TypeName()));
      }
    }
    InitialiseNew();
    return session_->Run(tensors, feeds_);
  }

  std::shared_ptr<Definition> Define(const Source& s, const Scope& env, bool method) {
    auto d = std::make_shared<Definition>();
    d->name = s.value("name", "f");
    if (method) d->params.push_back("self");
    if (s.contains("params"))
      for (const Source& p : s["params"]) d->params.push_back(p.get<std::string>());
    if (s.contains("defaults"))
      for (const auto& [key, value] : s["defaults"].items()) d->defaults[key] = Resolve(value, env);
    d->body = s.at("body");
    d->scope = env;
    d->shim = s.value("shim", false);
    d->tf_function = s.value("tf_function", false);
    return d;
  }

  Value DefineClass(const Source& s, const Scope& env) {
    auto c = std::make_shared<ClassDefinition>();
    c->name = s.at("name").get<std::string>();
    c->base = s.at("base").get<std::string>();
    if (s.contains("init_params"))
      for (const Source& p : s["init_params"]) c->init_params.push_back(p.get<std::string>());
    c->init = s.contains("init") ? s["init"] : Source::array();
    if (s.contains("super_kw"))
      for (const auto& [key, value] : s["super_kw"].items()) c->super_kw.emplace_back(key, Resolve(value, env));
    if (s.contains("methods"))
      for (const auto& [name, m] : s["methods"].items()) {
        Source with_name = m;
        with_name["name"] = name;
        c->methods[name] = Define(with_name, env, true);
      }
    c->scope = env;
    return Value::Callable(c->name, [this, c](Arguments& a) { return Construct(c, a); });
  }

  Value Construct(const std::shared_ptr<ClassDefinition>& c, const Arguments& arguments) {
    auto env = std::make_shared<Environment>();
    env->parent = c->scope;
    Dict extra = c->super_kw;
    for (std::size_t i = 0; i < arguments.positional.size(); ++i) {
      if (i >= c->init_params.size())
        throw TypeError(fmt::format("__init__() takes {} positional arguments but {} were given",
                                    c->init_params.size() + 1, arguments.positional.size() + 1));
      env->values[c->init_params[i]] = arguments.positional[i];
    }
    for (const auto& [key, value] : arguments.named) {
      if (std::ranges::find(c->init_params, key) != c->init_params.end()) {
        env->values[key] = value;
      } else {
        std::erase_if(extra, [&](const auto& item) { return item.first == key; });
        extra.emplace_back(key, value);
      }
    }
    std::string name;
    Value self;
    for (const auto& [key, value] : extra) {
      if (key == "name" && !value.none())
        name = ToText(value, "name");
      else if (key != "name" && key != "trainable" && key != "dtype" && key != "autocast" && key != "dynamic" &&
               key != "input_shape")
        throw TypeError(fmt::format("('Keyword argument not understood:', '{}')", key));
    }
    if (c->base == "layer") {
      self = Value(std::make_shared<LayerInstance<rt::Layer>>(c, name));
    } else if (c->base == "model") {
      self = Value(std::make_shared<LayerInstance<rt::Model>>(c, name));
    } else if (c->base == "module") {
      self = Value(std::make_shared<ModuleInstance>(c, name));
    } else {
      self = Value(std::make_shared<PlainInstance>(c));
    }
    for (const auto& [key, value] : extra) {
      if (key == "trainable" && !value.none()) SetAttribute(self, "trainable", value);
      if (key == "input_shape")
        if (auto* layer = dynamic_cast<rt::Layer*>(self.module()))
          layer->set_input_shape(ToShape(value, "input_shape"));
    }
    env->values["self"] = self;
    Block(c->init, env);
    return self;
  }

  std::optional<Returned> With(const Source& s, const Scope& env) {
    const std::string cm = s.at("cm").get<std::string>();
    Value manager;
    if (cm.starts_with('$')) {
      manager = Lookup(cm.substr(1), env);
      if (s.value("call", true) && manager.function()) {
        const Value made = Call(manager, ArgumentsOf(s, env));
        manager = made;
      }
    } else {
      manager = Call(FindPath(cm), ArgumentsOf(s, env));
    }
    auto* context = manager.object<ContextManager>();
    if (!context) throw AttributeError(fmt::format("'{}' object has no attribute '__enter__'", manager.TypeName()));
    ContextManager::Entered entered = context->Enter();
    if (s.contains("as")) env->values[s["as"].get<std::string>()] = entered.value;
    auto returned = Block(s.at("body"), env);
    entered.guard.reset();
    if (entered.finish) entered.finish();
    return returned;
  }

  std::optional<Returned> Try(const Source& s, const Scope& env) {
    const std::string label = s.at("label").get<std::string>();
    try {
      auto returned = Block(s.at("body"), env);
      Note(label, nullptr);
      return returned;
    } catch (const UnknownPath&) {
      throw;
    } catch (const Error& error) {
      std::string message = error.what();
      const bool full = s.value("full", false);
      if (!full && message.starts_with("Exception encountered")) {
        std::vector<std::string> lines;
        std::size_t begin = 0;
        while (begin <= message.size() && lines.size() < 2) {
          const std::size_t end = std::min(message.find('\n', begin), message.size());
          const std::string line = message.substr(begin, end - begin);
          if (line.find_first_not_of(" \t") != std::string::npos) lines.push_back(line);
          begin = end + 1;
        }
        message = lines.at(0) + " " + (lines.size() > 1 ? lines[1] : "");
      }
      Note(label, {{"error", std::string(error.kind())}, {"message", full ? message : FirstLine(message)}});
    }
    return std::nullopt;
  }

  std::optional<Returned> Statement(const Source& s, const Scope& env) {
    const auto& op = s.at("op").get_ref<const std::string&>();
    if (op == "do") {
      const std::string fn = s.at("fn").get<std::string>();
      const Value callee = fn.starts_with('$') ? Lookup(fn.substr(1), env) : FindPath(fn);
      const Value result = Call(callee, ArgumentsOf(s, env));
      if (s.contains("out")) env->values[s["out"].get<std::string>()] = result;
    } else if (op == "with") {
      return With(s, env);
    } else if (op == "def") {
      const std::shared_ptr<Definition> d = Define(s, env, false);
      std::shared_ptr<rt::Function> traced = d->tf_function ? std::make_shared<rt::Function>(d->name) : nullptr;
      env->values[d->name] = Value::Callable(d->name, [d, traced](Arguments& a) {
        if (!traced) return d->Invoke(a.positional, a.named);
        return CallTraced(*traced, a, [&](const Arguments& inner) { return d->Invoke(inner.positional, inner.named); });
      });
    } else if (op == "class") {
      env->values[s.at("name").get<std::string>()] = DefineClass(s, env);
    } else if (op == "set") {
      const std::string ref = s.at("ref").get<std::string>();
      const Value value = Resolve(s.at("value"), env);
      const std::size_t dot = ref.rfind('.');
      if (dot == std::string::npos) {
        env->values[ref] = value;
      } else {
        SetAttribute(Lookup(ref.substr(0, dot), env), ref.substr(dot + 1), value);
      }
    } else if (op == "return") {
      return Returned{Resolve(s.at("value"), env)};
    } else if (op == "if") {
      return Block(Resolve(s.at("cond"), env).Truth() ? s.at("then") : s.value("else", Source::array()), env);
    } else if (op == "if_none") {
      return Block(Resolve(s.at("value"), env).none() ? s.at("then") : s.value("else", Source::array()), env);
    } else if (op == "repeat") {
      for (std::int64_t i = 0, n = s.at("n").get<std::int64_t>(); i < n; ++i)
        if (auto returned = Block(s.at("body"), env)) return returned;
    } else if (op == "placeholder") {
      Placeholder(s, env);
    } else if (op == "only") {
      for (const Source& m : s.at("modes"))
        if (m.get<std::string>() == ModeName(mode_)) return Block(s.at("body"), env);
    } else if (op == "try") {
      return Try(s, env);
    } else if (op != "comment") {
      Observe(op, s, env);
    }
    return std::nullopt;
  }

  void Placeholder(const Source& s, const Scope& env) {
    const Value feed = Resolve(s.at("feed"), env);
    const Array value = ToArray(feed, "feed", DType::kFloat32);
    rt::Tensor tensor(value);
    if (graph_mode()) {
      const Value shape = Resolve(s.at("shape"), env);
      tensor = rt::Placeholder(DType::kFloat32, shape.none() ? PartialShape::Unknown() : ToShape(shape, "shape"),
                               s.value("name", ""));
      feeds_.push_back({tensor, value});
    }
    env->values[s.at("out").get<std::string>()] = Value(tensor);
  }

  // Python's str() of what has no name: "tf.Tensor(1.2, shape=(), dtype=float32)".
  static std::string ItemText(const rt::CollectionItem& item) {
    const std::string name = rt::ItemName(item);
    const auto* tensor = std::get_if<rt::Tensor>(&item);
    if (!name.empty() || !tensor || tensor->symbolic()) return name;
    const Array& a = tensor->array();
    std::string value = "...";
    if (a.dtype() == DType::kFloat32 && a.num_elements() == 1) {
      value = fmt::format("{}", *a.data<float>());
      if (value.find_first_not_of("-0123456789") == std::string::npos) value += ".0";
    }
    return fmt::format("tf.Tensor({}, shape={}, dtype={})", value, a.shape().ToTuple(), equiv::Name(a.dtype()));
  }
  static json NameOf(const Value& v) {
    try {
      return GetAttribute(v, "name").ToString();
    } catch (const AttributeError&) {
      return nullptr;
    }
  }
  static json Plain(const Value& v) {
    if (v.none()) return nullptr;
    if (const bool* b = v.As<bool>()) return *b;
    if (const auto* i = v.As<std::int64_t>()) return *i;
    if (const double* d = v.As<double>()) return *d;
    if (v.list()) {
      json items = json::array();
      for (const Value& item : *v.list()) items.push_back(Plain(item));
      return items;
    }
    return v.ToString();
  }

  void Observe(const std::string& op, const Source& s, const Scope& env) {
    const auto label = [&](const std::string& fallback) { return s.value("label", fallback); };
    const auto of = [&] { return Resolve(s.at("of"), env); };
    const auto of_label = [&](const char* word) { return label(std::string(word) + " " + LabelOf(s.at("of"))); };
    if (op == "name") {
      Note(of_label("name"), NameOf(of()));
    } else if (op == "attr") {
      Note(of_label("attr"), Plain(of()));
    } else if (op == "vars") {
      Value list = of();
      if (list.function()) list = Value(Call(list, {}));
      json rows = json::array();
      if (!list.list()) throw TypeError(fmt::format("'{}' object is not iterable", list.TypeName()));
      for (const Value& v : *list.list()) {
        const auto* variable = v.As<rt::Variable>();
        if (!variable) throw AttributeError(fmt::format("'{}' object has no attribute 'trainable'", v.TypeName()));
        rows.push_back(VariableRow(*variable));
      }
      Note(of_label("vars"), rows);
    } else if (op == "names") {
      json names = json::array();
      const Value list = of();
      if (!list.list()) throw TypeError(fmt::format("'{}' object is not iterable", list.TypeName()));
      for (const Value& v : *list.list()) names.push_back(NameOf(v));
      Note(of_label("names"), names);
    } else if (op == "len") {
      const Value v = of();
      if (!v.list() && !v.dict()) throw TypeError(fmt::format("object of type '{}' has no len()", v.TypeName()));
      Note(of_label("len"), v.list() ? v.list()->size() : v.dict()->size());
    } else if (op == "eval") {
      const Value v = of();
      std::vector<Value> values;
      if (v.list()) {
        values = *v.list();
      } else {
        values = {v};
      }
      json encoded = json::array();
      if (!values.empty())
        for (const Array& a : Materialise(values)) encoded.push_back(Encode(a));
      Note(of_label("eval"), v.list() ? encoded : encoded.at(0));
    } else if (op == "run") {
      const Value v = of();
      if (graph_mode()) {
        InitialiseNew();
        rt::Fetch::List fetches;
        const List items = v.list() ? *v.list() : List{v};
        for (const Value& item : items) {
          if (const auto* node = item.As<rt::Node*>()) fetches.push_back(*node);
          if (const auto* tensor = item.As<rt::Tensor>()) fetches.push_back(*tensor);
          if (const auto* variable = item.As<rt::Variable>()) fetches.push_back(variable->value());
        }
        if (!fetches.empty()) session_->RunNested(rt::Fetch(std::move(fetches)), feeds_);
      }
    } else if (op == "same") {
      Note(label(fmt::format("same {} {}", LabelOf(s.at("a")), LabelOf(s.at("b")))),
           Resolve(s.at("a"), env).SameAs(Resolve(s.at("b"), env)));
    } else if (op == "collection") {
      const std::string key = s.at("key").get<std::string>();
      const bool scoped = s.contains("scope") && !s["scope"].is_null();
      json names = json::array();
      for (const rt::CollectionItem& item : rt::GetCollection(key, scoped ? s["scope"].get<std::string>() : ""))
        names.push_back(ItemText(item));
      Note(label(fmt::format("collection {} scope={}", key, scoped ? PythonRepr(s["scope"]) : "None")), names);
    } else if (op == "scope") {
      const auto current = rt::CurrentVariableScope();
      json reuse = current->reuse == rt::Reuse::kTrue;
      if (current->reuse == rt::Reuse::kAuto || (rt::Current().eager() && current->reuse == rt::Reuse::kNone))
        reuse = "AUTO_REUSE";
      Note(label("scope"), {{"variable_scope", current->name},
                            {"original_name_scope", current->original_name_scope},
                            {"reuse", reuse},
                            {"name_scope", rt::Current().name_scope()}});
    } else if (op == "op_names") {
      json names;
      if (graph_mode()) {
        names = json::array();
        for (const auto& node : graph_->nodes()) names.push_back(node->name());
      }
      Note(label("op names"), names);
    } else if (op == "store") {
      const Value v = of();
      const rt::VariableStore* store = v.module() ? v.module()->tracked_store() : nullptr;
      if (!store)
        throw AttributeError(fmt::format("'{}' object has no attribute '_tf1_style_var_store'", v.TypeName()));
      json vars = json::array(), regularizers = json::array(), layers = json::array();
      for (const auto& [key, variable] : store->variables()) vars.push_back(key);
      for (const auto& loss : store->losses()) regularizers.push_back(loss.key);
      for (const auto& [key, layer] : store->layers) layers.push_back(key);
      Note(of_label("store"), {{"vars", vars}, {"regularizers", regularizers}, {"layers", layers}});
    } else if (op == "created") {
      Note(label("number of variables created so far"), created_.size());
    } else {
      throw DataLossError(fmt::format("the program has a statement of unknown kind '{}'", op));
    }
  }

  Mode mode_;
  std::string backend_;
  std::unique_ptr<rt::Graph> graph_;
  std::unique_ptr<rt::Session> session_;
  std::vector<rt::Feed> feeds_;
  std::vector<rt::Variable> created_;
  std::size_t initialised_ = 0;
  json observations_ = json::array();
};

thread_local Program* running = nullptr;

}  // namespace

std::string_view ModeName(Mode mode) {
  return mode == Mode::kGraph ? "graph" : mode == Mode::kEager ? "eager" : "graph_v1";
}

Running& CurrentProgram() {
  EQUIV_CHECK(running != nullptr);
  return *running;
}

Value RunBody(const nlohmann::ordered_json& body, const Scope& environment) {
  auto returned = running->Block(body, environment);
  return returned ? returned->value : Value();
}

json RunProgram(const Source& program, Mode mode, bool op_names, const std::string& backend) {
  Program p(mode, backend);
  struct Restore {
    Program* outer = running;
    ~Restore() { running = outer; }
  } restore;
  running = &p;
  return p.Run(program, op_names);
}

std::string RunProgramText(std::string_view program, Mode mode, bool op_names, const std::string& backend) {
  const Source parsed = Source::parse(program, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded() || !parsed.is_array()) throw DataLossError("the program is no JSON list of statements");
  try {
    return RunProgram(parsed, mode, op_names, backend).dump(1, ' ', false, json::error_handler_t::replace);
  } catch (const nlohmann::json::exception& error) {
    throw DataLossError(fmt::format("the program has a malformed statement: {}", error.what()));
  }
}

}  // namespace equiv::programs
