// equiv/programs/program.h - programs of the JSON language of fixtures/goldens/naming/README.md, run against the
// runtime.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace equiv::programs {

enum class Mode { kGraph, kEager, kGraphV1 };
std::string_view ModeName(Mode mode);  // "graph", "eager", "graph_v1"

// Runs a program (a JSON list of statements) and returns what it did as JSON: variables, raised, collections, op_names
// if asked for, observations. Resets the eager context first. DataLossError when the text is no program, NotFoundError
// when it needs a function this library does not have.
std::string RunProgramText(std::string_view program, Mode mode, bool op_names = false,
                           const std::string& backend = "cpu");
// The API paths programs may use: "v1.get_variable", "tf.keras.layers.Dense", ...
std::vector<std::string> KnownPaths();

}  // namespace equiv::programs
