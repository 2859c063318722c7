// tools/tensor_json.h - tensors in the JSON that verbs print.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "equiv/compare/tensor_source.h"

namespace equiv::tools {

// A number; what JSON has no number for as text: "nan", "inf", "-inf".
nlohmann::ordered_json NumberJson(double value);
// `object`[`key`] = `name`. A name that is no UTF-8 is made printable, and its bytes stand in hexadecimal under
// KEY_hex.
void PutName(nlohmann::ordered_json& object, const std::string& key, const std::string& name);
// {"name", "dtype", "shape", "bytes"}, and where it has them "variable" and "slices".
nlohmann::ordered_json TensorJson(const TensorInfo& info);
// One object and a newline on stdout.
void PrintJson(const nlohmann::ordered_json& json);
// "12 bytes", "3.4 MiB".
std::string BytesText(std::int64_t bytes);

}  // namespace equiv::tools
