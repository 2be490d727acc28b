// Walks the outer structure of a JSON text (RFC 8259) of any size and hands out inner values as raw text, so that a
// bundle is read object by object. What it hands out is checked by whoever parses it; what it passes over is only
// checked for balanced brackets and closed strings.
#pragma once

#include "formats/source.h"

namespace parley::formats {

class JsonStream {
 public:
  explicit JsonStream(Source& source) : source_(source) {}

  /// The first character of the next value, '}' or ']' of the enclosing one, or '\0' at the end of the text.
  Result<char> peek();

  Status begin_object();
  /// The next key of the object that was begun last; false at its end.
  Result<bool> next_key(std::string& key);

  Status begin_array();
  /// Whether the array that was begun last has another element.
  Result<bool> next_element();

  /// Appends the next value's text to `out`. A value of more than `limit_bytes` is passed over, and false returned.
  Result<bool> raw_value(std::string& out, std::size_t limit_bytes);
  Status skip_value();
  /// @error Errc::format when anything but white space is left.
  Status end();

  std::uint64_t line() const { return line_; }

 private:
  Result<char> get();
  Status scan_value(std::string& out, std::size_t limit_bytes, bool& fits);
  Status scan_string(std::string& out, std::size_t limit_bytes, bool& fits);
  Status scan_scalar(std::string& out, std::size_t limit_bytes, bool& fits);
  Status expect(char wanted, std::string_view name);
  std::unexpected<Error> unexpected_character(char found, std::string_view wanted) const;

  BufferedSource source_;
  std::uint64_t line_ = 1;
  bool first_ = true;  ///< no element of the container that was begun last has been taken
  bool started_ = false;
};

}  // namespace parley::formats
