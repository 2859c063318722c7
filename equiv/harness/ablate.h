// equiv/harness/ablate.h - which op introduced an error, and what merely inherited it.
//
// Both sides run the same model; their ops are matched one by one. Then every op of the second side is run once more on
// the FIRST side's inputs. What still differs was introduced by the op; the rest came in through its inputs.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "equiv/harness/side.h"

namespace equiv {

struct AblateOptions {
  RunRequest request;                // inputs, training, random mode, passes; its backend is the first side's
  std::string second_backend;        // empty: the first side's
  std::string from, to;              // op or end point names; empty: the whole model
  std::map<std::string, Array> fix;  // op, tensor or end point name -> value it is given on both sides
};
struct OpError {
  double max_abs = 0;
  double scaled = 0;       // max_abs / largest absolute value on the first side
  bool comparable = true;  // false: shapes or dtypes differ, or the op cannot be run again
};
struct AblateRow {
  std::string name, op, end_point;  // end_point: its name when the op's output is one
  PartialShape shape;
  bool fixed = false;  // its value was given, not computed
  OpError total, inherited, introduced;
};
struct Ablation {
  std::vector<AblateRow> rows;                       // matched ops, in program order, within [from, to]
  std::vector<std::string> only_first, only_second;  // ops without a partner
  // The first op that introduced an error; -1 when none did.
  int first_introducing() const;
};

// Throws NotFoundError when `from`, `to` or a fixed name is no op of the model, InvalidArgumentError when a fixed value
// has another shape or dtype.
Ablation Ablate(Side& first, Side& second, const AblateOptions& options);

}  // namespace equiv
