// Running tools/verify_dossier.py.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>

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
  /// The same of many files, which two processes share.
  static std::vector<std::string> run_all(std::span<const std::string> files, const std::string& options = {}) {
    const auto part = [&](std::span<const std::string> of) {
      return fmt::format("{}/tools/verify_dossier.py {} {}", PARLEY_SOURCE, fmt::join(of, " "), options);
    };
    const std::size_t half = files.size() / 2;
    std::vector<std::string> lines;
    for (const auto& of_one : run_python_at_once({part(files.first(half)), part(files.subspan(half))}))
      lines.insert(lines.end(), of_one.begin(), of_one.end());
    return lines;
  }
  /// @param environment  assignments before the command
  static std::vector<std::string> run_python(const std::string& arguments, const std::string& environment = {}) {
    return lines_of(::popen((environment + " python3 " + arguments).c_str(), "r"));
  }
  /// Each by a process of its own, all of them at the same time.
  static std::vector<std::vector<std::string>> run_python_at_once(const std::vector<std::string>& arguments) {
    std::vector<FILE*> pipes;
    for (const std::string& one : arguments) pipes.push_back(::popen(("python3 " + one).c_str(), "r"));
    std::vector<std::vector<std::string>> lines;
    for (FILE* pipe : pipes) lines.push_back(lines_of(pipe));
    return lines;
  }
  static std::vector<std::string> lines_of(FILE* pipe) {
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
