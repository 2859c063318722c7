// equiv/report/report.h - results as one self-contained HTML page.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace equiv::report {

struct Figure {
  std::string name, decimal, hex;
};
struct Phase {
  std::string name;
  double seconds;
};
struct Table {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};
struct Stage {
  std::string id, title, verdict;
  std::vector<std::string> lines;
  std::vector<Figure> figures;
  std::string failure;
  std::vector<Phase> phases;
};
struct Document {
  std::string title, verdict;
  bool passed = false;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<Stage> stages;
  std::vector<Table> tables;
};

// Loads nothing from elsewhere, reads well from 390 px width on, in light and dark. All text is escaped; bytes that are
// not UTF-8 become U+FFFD.
std::string ToHtml(const Document& document);

}  // namespace equiv::report
