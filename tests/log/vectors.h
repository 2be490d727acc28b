// The vectors of tests/vectors/log and the tables of signatures, as the tests of this room read them.
#pragma once

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/secret.h"

namespace parley::log {

inline const nlohmann::json& log_vectors() {
  static const nlohmann::json vectors =
      nlohmann::json::parse(std::ifstream(std::string(PARLEY_VECTORS) + "/log/vectors.json"));
  return vectors;
}

/// Bytes in hexadecimal; "-" stands for none.
inline Bytes bytes_of(const std::string& hex) {
  if (hex == "-") return {};
  const auto bytes = from_hex(hex);
  if (!bytes) throw std::invalid_argument("not hexadecimal: " + hex);
  return *bytes;
}

template <std::size_t N>
ByteArray<N> array_of(const std::string& hex) {
  const Bytes bytes = bytes_of(hex);
  if (bytes.size() != N) throw std::invalid_argument("not of the right length: " + hex);
  ByteArray<N> array;
  std::ranges::copy(bytes, array.begin());
  return array;
}

inline Secret<32> seed_of(const std::string& hex) {
  return Secret<32>(array_of<32>(hex));
}

/// The lines of a table under tests/vectors, each split at its spaces; comments are left out.
inline std::vector<std::vector<std::string>> table(const std::string& path) {
  std::ifstream file(std::string(PARLEY_VECTORS) + "/" + path);
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    rows.emplace_back();
    for (std::string word; words >> word;) rows.back().push_back(word);
  }
  return rows;
}

}  // namespace parley::log
