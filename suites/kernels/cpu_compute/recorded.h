// suites/kernels/cpu_compute/recorded.h - calls of ops that tf_cases.py recorded.
#pragma once
#include <nlohmann/json.hpp>
#include <vector>

#include "suites/kernels/cpu_compute/op_runner.h"

namespace equiv::test {

// [dtype, shape, values]; of complex numbers both parts in turn.
Array RecordedTensor(const nlohmann::json& record);
// Tensors, and variables as ["variable", value before, value after].
std::vector<Array> RecordedInputs(const nlohmann::json& records);
bool IsRecordedVariable(const nlohmann::json& record);
AttrMap RecordedAttributes(const OpDef& def, const nlohmann::json& given);

}  // namespace equiv::test
