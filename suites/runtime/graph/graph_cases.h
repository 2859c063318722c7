// The files of cases/: a GraphDef as text, and in its comments what it computes or why it is refused. See
// make_cases.py.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "kernels/base/array.h"

namespace equiv::test {

struct GraphRun {
  std::string text;  // as in the file
  std::vector<std::pair<std::string, Array>> feeds, fetches;
  std::string operation;       // to run instead
  std::string failing, error;  // or a tensor that has no value, and how the error starts
};
struct GraphCase {
  std::string name, path, text;
  std::vector<GraphRun> runs;
  std::string error;  // of the import; {file} stands for the path
};
// All cases, by name. `bad`: those that are refused, or those that run.
std::vector<GraphCase> GraphCases(bool bad);
void PrintTo(const GraphCase& c, std::ostream* out);

// The file in its other forms.
std::string AsBinary(const std::string& text);
std::string Zipped(const std::string& bytes);

// Where `exported` says something else than `original` beyond what docs/graphs.md calls normalised; empty: nowhere.
std::string Differences(const std::string& original_text, const std::string& exported);

}  // namespace equiv::test
