// Running tools/verify_dossier.py.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace parley::dossier {

class SecondVerifier : public testing::Test {
 protected:
  SecondVerifier() {
    std::string pattern = (std::filesystem::temp_directory_path() / "parley-dossier-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~SecondVerifier() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, std::string_view content) {
    const std::filesystem::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
  }
  /// Standard output, line by line.
  static std::vector<std::string> run(const std::string& arguments) {
    return run_python(PARLEY_SOURCE "/tools/verify_dossier.py " + arguments);
  }
  static std::vector<std::string> run_python(const std::string& arguments) {
    const std::string command = "python3 " + arguments;
    FILE* pipe = ::popen(command.c_str(), "r");
    std::vector<std::string> lines;
    std::array<char, 4096> line{};
    while (pipe != nullptr && std::fgets(line.data(), line.size(), pipe) != nullptr) {
      const bool goes_on = !lines.empty() && !lines.back().ends_with('\n');
      if (goes_on)
        lines.back() += line.data();
      else
        lines.emplace_back(line.data());
    }
    if (pipe != nullptr) ::pclose(pipe);
    return lines;
  }
  static std::string outcome(const std::string& line) {
    for (const std::string_view word : {"verified", "unanchored", "refused"})
      if (line.find(fmt::format(": {}", word)) != line.npos) return std::string(word);
    return line;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace parley::dossier
