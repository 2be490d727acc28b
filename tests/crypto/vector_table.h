// Tables of vectors under tests/vectors: one line each, fields between spaces, # before comments, - for no bytes.
#pragma once

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/secret.h"

namespace parley {

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

inline std::vector<std::string> split(const std::string& text, char separator) {
  std::istringstream stream(text);
  std::vector<std::string> parts;
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

/// The rows of a table; there is at least one, so that a test over them cannot pass for want of rows.
inline std::vector<std::vector<std::string>> table(const std::string& path) {
  std::ifstream file(std::string(PARLEY_VECTORS) + "/" + path);
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) rows.push_back(split(line, ' '));
  }
  if (rows.empty()) throw std::runtime_error("no vectors in " + path);
  return rows;
}

}  // namespace parley
