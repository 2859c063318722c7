// kernels/cpu/strings.h - kernels on strings, and what writes values as text.
#pragma once
#include <cstdint>
#include <string>

#include "kernels/base/kernel.h"

namespace equiv::cpu {

void ConcatenateStrings(KernelContext& ctx);  // x + y, broadcast
void StringJoin(KernelContext& ctx);          // inputs of one shape, or scalars; attribute separator
void StringToNumber(KernelContext& ctx);      // attribute out_type: float32, float64, int32, int64
void StringLength(KernelContext& ctx);        // attribute unit: bytes or characters of UTF-8
void StringLower(KernelContext& ctx);         // letters of ASCII; attribute encoding
void StringUpper(KernelContext& ctx);
void RegexFullMatch(KernelContext& ctx);  // pattern: attribute, or input 1
void RegexReplace(KernelContext& ctx);    // pattern and rewrite: attributes, or inputs; attribute replace_global
void AsString(KernelContext& ctx);        // attributes precision, scientific, shortest, width, fill

// The first `limit` elements (all when negative) as TensorFlow writes them: "[1 2 3][4...]...". tf: SummarizeValue
std::string Summarize(const Array& value, std::int64_t limit);
// `limit` elements at both ends of each dimension: "[[0 1 ... 8 9]\n ...]". tf: SummarizeValue, print_v2
std::string SummarizeEnds(const Array& value, std::int64_t limit);

// condition, data...: InvalidArgumentError with the data, `summarize` elements of each, unless the condition holds.
void Assert(KernelContext& ctx);
void StringFormat(KernelContext& ctx);  // attributes template, placeholder, summarize
void PrintV2(KernelContext& ctx);       // attributes output_stream, end
// input, data...: writes the data to standard error and hands the input on; attributes message, first_n, summarize.
KernelFactory Print();

}  // namespace equiv::cpu
