// equiv/harness/ledger.h - puts the random draws of two runs side by side.
#pragma once
#include <string>
#include <vector>

#include "equiv/harness/recording.h"

namespace equiv {

enum class DrawStatus {
  kAligned,  // same op, same seed pair, same bits
  kSwapped,  // the two sides exchanged op seeds with another draw
  kMoved,    // drawn by both sides with different seed pairs
  kDiffers,  // same seed pair, other bits: another position in the stream, or a wrong kernel
  kMissing,  // drawn by the first side only
  kExtra,    // drawn by the second side only
};
std::string_view Name(DrawStatus status);

struct DrawRow {
  DrawStatus status = DrawStatus::kAligned;
  const DrawRecord* expected = nullptr;  // null for kExtra
  const DrawRecord* actual = nullptr;    // null for kMissing
};
// Rows in the first side's program order; extra draws stand where the second side made them. The records must outlive
// it.
std::vector<DrawRow> AlignDraws(const std::vector<DrawRecord>& expected, const std::vector<DrawRecord>& actual);
bool AllAligned(const std::vector<DrawRow>& rows);

// A fixed-width table. `only_misaligned` leaves out the aligned rows; at most `max_rows` are printed, the rest counted.
std::string LedgerText(const std::vector<DrawRow>& rows, const std::string& expected_name,
                       const std::string& actual_name, bool only_misaligned, std::size_t max_rows = 1000);
// "op seed 247 RandomUniform [1536,1000] of 'Logits/weights' u0=0.1234 (#a1b2c3d4)".
std::string DrawText(const DrawRecord& draw);

}  // namespace equiv
