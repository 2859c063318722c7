// equiv/report/report.h - a run as one self-contained HTML page.
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
  double seconds = 0;
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
  std::string failure;  // empty when there is none
  std::vector<Phase> phases;
};
struct Document {
  std::string title, verdict;
  bool passed = false;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<Stage> stages;
  std::vector<Table> tables;
};

// HTML 5, UTF-8, no external resource, readable from 390 pixels on; every text escaped.
std::string ToHtml(const Document& document);

}  // namespace equiv::report
