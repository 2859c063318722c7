// equiv/harness/conformance/case_result.h - the outcome of one stored case.
#pragma once
#include <string>
#include <vector>

namespace equiv {

struct CaseResult {
  enum class Outcome { kPass, kFail, kSkip };
  std::string id{};
  Outcome outcome = Outcome::kPass;
  std::string why{};       // of a failure or a skip; notes of a pass
  bool bit_exact = false;  // every compared tensor equal bit for bit
};

}  // namespace equiv
