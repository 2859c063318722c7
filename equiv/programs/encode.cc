#include "equiv/programs/encode.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <nlohmann/json.hpp>

namespace equiv::programs {

using nlohmann::json;

static std::string Sha256(const std::byte* data, std::size_t size) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(data), size, digest);
  std::string text;
  for (unsigned char c : digest) text += fmt::format("{:02x}", c);
  return text;
}

nlohmann::json Encode(const Array& a) {
  json out = {{"shape", a.shape().vector()}, {"dtype", std::string(Name(a.dtype()))}};
  if (a.dtype() == DType::kString) {
    json values = json::array();
    for (const std::string& s : a.strings()) values.push_back("b'" + s + "'");
    out["values"] = values;
    return out;
  }
  if (IsComplex(a.dtype())) return out;
  out["sha256"] = Sha256(a.raw(), a.num_bytes());
  const std::int64_t n = a.num_elements();
  const auto element = [&](std::int64_t i) -> json {
    if (a.dtype() == DType::kBool) return a.ElementAsDouble(i) != 0;
    if (IsInteger(a.dtype())) return static_cast<std::int64_t>(a.ElementAsDouble(i));
    return a.ElementAsDouble(i);
  };
  if (n <= 32) {
    json values = json::array();
    for (std::int64_t i = 0; i < n; ++i) values.push_back(element(i));
    out["values"] = values;
  } else {
    json first = json::array();
    double sum = 0, squares = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const double v = a.ElementAsDouble(i);
      if (i < 8) first.push_back(element(i));
      sum += v;
      squares += v * v;
    }
    out["first8"] = first;
    out["sum_f64"] = sum;
    out["sumsq_f64"] = squares;
  }
  return out;
}

}  // namespace equiv::programs
