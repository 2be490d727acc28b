// What the tests of the readers share: files that go away, and a sink that remembers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/import.h"

namespace parley::formats {

/// A folder that is removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "parley-formats-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path write(std::string_view name, std::string_view content) const {
    const auto path = path_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A file of tests/vectors/formats.
inline std::string vector_file(std::string_view name) {
  std::ifstream file(std::filesystem::path(PARLEY_VECTORS) / "formats" / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Taken final : Sink {
  std::vector<Record> records;
  std::vector<Notice> notices;

  Status record(Record record) override {
    records.push_back(std::move(record));
    return {};
  }
  void notice(Notice notice) override { notices.push_back(std::move(notice)); }

  /// "type value" of each record, in order.
  std::vector<std::string> values() const {
    std::vector<std::string> out;
    for (const Record& r : records)
      out.push_back(std::string(indicator::name_of(r.indicator.type())) + " " + r.indicator.value());
    return out;
  }
  /// The record of `value`. Precondition: there is one.
  const Record& of(std::string_view value) const {
    const auto at = std::ranges::find_if(records, [&](const Record& r) { return r.indicator.value() == value; });
    if (at == records.end()) throw std::out_of_range("no record of " + std::string(value));
    return *at;
  }
};

struct Outcome {
  Result<Format> format = Format::report;
  Taken taken;
};

/// Reads a file of that name and content, as an import does.
inline Outcome read_as(std::string_view name, std::string_view content, const ReadOptions& options = {}) {
  const TemporaryFolder folder;
  Outcome outcome;
  SilentProgress progress;
  outcome.format = read(folder.write(name, content), options, outcome.taken, progress);
  return outcome;
}

inline ReadOptions lenient() {
  ReadOptions options;
  options.lenient = true;
  return options;
}

inline ReadOptions as_format(Format format, bool is_lenient = false) {
  ReadOptions options;
  options.format = format;
  options.lenient = is_lenient;
  return options;
}

inline indicator::Label label(indicator::LabelKind kind, std::string name) {
  return {kind, std::move(name)};
}

/// The error of an import that fails; empty when it does not.
inline std::string error_text(const Outcome& outcome) {
  return outcome.format ? "" : outcome.format.error().text();
}

// Hashes of nothing in particular, for files that the tests make up.
inline const std::string kMd5(32, 'a');
inline const std::string kSha1(40, 'b');
inline const std::string kSha256(64, 'c');

}  // namespace parley::formats
