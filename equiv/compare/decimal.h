// equiv/compare/decimal.h - numbers as text.
#pragma once
#include <string>

namespace equiv {

// The shortest decimal that reads back to the same value, written as Python and NumPy write it: 1.22548, 1e-05, 5.0,
// nan.
std::string FormatFloat(float value);
std::string FormatDouble(double value);
// C99 hexadecimal: 0x1.39c8aep+0.
std::string FormatHex(double value);

}  // namespace equiv
