// equiv/compare/printable.h - names and strings of files, for people.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace equiv {

// One line of text that no terminal takes for commands: control characters and bytes that are no UTF-8 become \n, \x1b,
// and a backslash \\. Different texts stay different.
std::string Printable(std::string_view text);

// The length of the UTF-8 sequence at the start of `text`; 0 when there is none. Overlong forms, surrogates and code
// points beyond U+10FFFF are none.
std::size_t Utf8Length(std::string_view text);
bool IsUtf8(std::string_view text);
// `code_point` must be a valid one. Appends its UTF-8 form.
void AppendUtf8(std::string& text, char32_t code_point);
bool IsCodePoint(char32_t c);

}  // namespace equiv
