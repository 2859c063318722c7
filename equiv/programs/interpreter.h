// equiv/programs/interpreter.h - runs programs of the JSON language (fixtures/goldens/naming/README.md) against the
// runtime, as a graph with a Session or eagerly. Private to equiv/programs; program.h is its public face.
#pragma once
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "equiv/programs/program.h"
#include "equiv/programs/value.h"

namespace equiv::programs {

// An API path no function is known for.
class UnknownPath : public Error {
 public:
  explicit UnknownPath(const std::string& path) : Error("NotFoundError", "no such function: " + path) {}
};

// What a program did, in the form the goldens have: variables, raised, collections, op_names, observations. Throws
// UnknownPath when it needs a function that is not there. Resets the eager context first.
nlohmann::json RunProgram(const nlohmann::ordered_json& program, Mode mode, bool op_names,
                          const std::string& backend = "cpu");

// The function behind an API path such as "tf.keras.layers.Dense"; UnknownPath.
Value FindPath(const std::string& path);

// What helper functions of the language need of the running program.
class Running {
 public:
  virtual ~Running() = default;
  virtual void Note(const std::string& label, nlohmann::json value) = 0;
  virtual Mode mode() const = 0;
};
Running& CurrentProgram();

// Registers functions by path; each family file has one. A new path is one line.
//   t.Add("tf.add", "x, y, name=None", [](Bound& a) -> Value { ... });
class Bound {
 public:
  Bound(const std::string& path, const std::vector<std::string>& names, Arguments& arguments);
  const Value& operator[](const char* name) const;
  bool Has(const char* name) const { return !(*this)[name].none(); }  // given and not None
  bool Given(const char* name) const;
  const Dict& rest() const { return rest_; }  // keyword arguments beyond the named ones, after "**"
  const List& more() const { return more_; }  // positional arguments beyond, after "*"
  const char* what(const char* name) const { return name; }
  bool Bool(const char* name, bool fallback) const;
  std::int64_t Int(const char* name, std::int64_t fallback) const;
  double Double(const char* name, double fallback) const;
  std::string Text(const char* name, const std::string& fallback = {}) const;
  rt::Tensor Tensor(const char* name) const;

 private:
  std::string path_;
  std::vector<std::pair<std::string, Value>> values_;
  std::vector<std::string> given_;
  Dict rest_;
  List more_;
};
class PathTable {
 public:
  using Body = std::function<Value(Bound&)>;
  // `signature`: parameter names separated by commas; "*" and "**" take what is left over.
  void Add(const std::string& path, const std::string& signature, Body body);
  void AddConstant(const std::string& path, Value value);
};
// As FindPath, while the table is being filled.
Value FindPathForRegistration(const std::string& path);
void RegisterTensorFlow(PathTable& table);
void RegisterVariables(PathTable& table);
void RegisterLayers(PathTable& table);
void RegisterSlim(PathTable& table);
void RegisterTraining(PathTable& table);
void RegisterHelpers(PathTable& table);

}  // namespace equiv::programs
