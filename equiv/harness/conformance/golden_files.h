// equiv/harness/conformance/golden_files.h - reading stored cases. Private to equiv/harness/conformance.
#pragma once
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "equiv/harness/conformance/case_result.h"
#include "kernels/base/array.h"

namespace equiv {

// NotFoundError, DataLossError naming the file.
nlohmann::json ReadJson(const std::filesystem::path& file);
// A number, or its text as C99 hex float; InvalidArgumentError otherwise.
double HexNumber(const nlohmann::json& value);
std::string Sha256(std::string_view bytes);
std::string Sha256(const Array& array);  // of the elements' bytes

// Compares a tensor with stored `shape`, `min`, `max`, `mean`, `l2` and samples (flat index, value): every difference
// is at most `bound` times the largest stored magnitude, that of `l2` at most `bound` times `l2`. Empty when it holds.
std::string ScaledFailure(const nlohmann::json& stored, const std::vector<std::pair<std::int64_t, double>>& samples,
                          const Array& got, double bound);

// Adds a case under `id`: `check` returns why it fails, or nothing; an exception is a failure with its text.
template <class Check>
void AddCase(std::vector<CaseResult>& results, const std::string& id, Check check) {
  CaseResult result{.id = id, .bit_exact = true};
  try {
    result.why = check(result);
  } catch (const std::exception& error) {
    result.why = error.what();
  }
  if (!result.why.empty() && result.outcome == CaseResult::Outcome::kPass) result.outcome = CaseResult::Outcome::kFail;
  results.push_back(std::move(result));
}

}  // namespace equiv
