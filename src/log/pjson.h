// PJ1: the canonical JSON of everything that is signed (log.md 2.2, a strict subset of RFC 8785).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace parley::log {

/// A PJ1 value: string, integer of at most 53 bits, boolean, array or object. There is no null and no fraction.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::map<std::string, Json, std::less<>>;  ///< ascending by byte, as PJ1 writes it

  Json(bool value) : value_(value) {}
  Json(std::int64_t value) : value_(value) {}
  Json(int value) : value_(std::int64_t{value}) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}
  // Out of line (json.cpp): inlined, they make g++ 12 see uninitialised memory where there is none.
  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  ~Json();

  /// The value as the asked type, or nullptr.
  const bool* boolean() const { return std::get_if<bool>(&value_); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value_); }
  const std::string* text() const { return std::get_if<std::string>(&value_); }
  const Array* array() const { return std::get_if<Array>(&value_); }
  const Object* object() const { return std::get_if<Object>(&value_); }

  bool operator==(const Json&) const = default;

 private:
  std::variant<bool, std::int64_t, std::string, Array, Object> value_;
};

inline constexpr std::int64_t kMaxInteger = (std::int64_t{1} << 53) - 1;
inline constexpr std::size_t kMaxDepth = 8;
inline constexpr std::size_t kMaxMembers = 4096;  ///< of one object

/// Reads the canonical form of an object and nothing else: write_pjson(parse_pjson(x)) == x for every x that is taken.
/// @param limit_values  how many values it may have, itself included. A value of two bytes takes up 56 in memory: who
///                      takes texts of many MiB from anybody says how many values an honest one has
/// @error Errc::format with the byte offset; Errc::limit when longer than `limit_bytes`, of more values, deeper or
/// wider than the limits.
Result<Json> parse_pjson(std::string_view text, std::size_t limit_bytes, std::size_t limit_values = SIZE_MAX);

/// The canonical form. Precondition: a value that PJ1 can express (keys, integers and text within its rules, limits).
std::string write_pjson(const Json& value);

/// Hashes as ObjectReader::digests() reads them back.
Json::Array hex_of(std::span<const Digest> digests);

/// Reads an object's members by name, each once; finish() returns the first thing that was missing, of another type,
/// out of bounds or not asked for. Until then what is wrong reads as an empty value, so the reading code has one
/// straight line.
class ObjectReader {
 public:
  /// @param what  names the object in errors: "the session proposal".
  ObjectReader(const Json& value, std::string what);

  std::string text(std::string_view key, std::size_t limit_bytes);
  std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most);
  bool boolean(std::string_view key);
  /// 64 hex digits.
  Digest digest(std::string_view key);
  /// Canonical base64 of exactly `size_bytes`.
  Bytes bytes(std::string_view key, std::size_t size_bytes);
  const Json::Array& array(std::string_view key, std::size_t limit_count);
  const Json& object(std::string_view key);
  std::vector<std::string> texts(std::string_view key, std::size_t limit_count, std::size_t limit_bytes);
  /// Each as digest() reads it.
  std::vector<Digest> digests(std::string_view key, std::size_t limit_count);

  /// Records a broken rule of the caller's own; the first one is what finish() returns.
  void refuse(std::string why);
  Status finish();

 private:
  const Json* take(std::string_view key);

  const Json::Object* object_;
  std::string what_;
  std::vector<std::string_view> taken_;
  std::string first_error_;
};

}  // namespace parley::log
