// equiv/compare/decimal.h - numbers as Python and NumPy print them.
#pragma once
#include <string>

namespace equiv {

// The shortest decimal that reads back as the same value, laid out as Python's repr (NumPy's str of a scalar): "1.22548",
// "5.0", "-0.0", "1e-05", "1.5e+16", "nan", "inf". Scientific below 1e-4 and from 1e16 on.
std::string FormatFloat(float value);
std::string FormatDouble(double value);

}  // namespace equiv
