// Reads the tables of tests/vectors: a heading, then one case a line, columns parted by tabs.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace parley::indicator {

inline std::vector<std::vector<std::string>> read_table(const std::string& path, std::size_t columns) {
  std::vector<std::vector<std::string>> rows;
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::vector<std::string> row;
    std::istringstream stream(line);
    for (std::string column; std::getline(stream, column, '\t');) row.push_back(column);
    EXPECT_GE(row.size(), columns) << path << ": " << line;
    if (row.size() >= columns) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace parley::indicator
