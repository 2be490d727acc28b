// Reading the members of a PJ1 object by name (log.md 2.2: unknown keys are refused, nothing is optional).
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "log/pjson.h"

namespace parley::log {
namespace {

const Json::Array kNoElements;
const Json kNoMembers = Json::Object{};
constexpr std::size_t kLongestNameShown = 40;

std::string shown(std::string_view name) {
  return visible(name.substr(0, kLongestNameShown));
}

}  // namespace

ObjectReader::ObjectReader(const Json& value, std::string what) : object_(value.object()), what_(std::move(what)) {
  if (object_ == nullptr) {
    object_ = kNoMembers.object();
    refuse("an object is due");
  }
}

void ObjectReader::refuse(std::string why) {
  if (first_error_.empty()) first_error_ = fmt::format("In {}: {}.", what_, why);
}

const Json* ObjectReader::take(std::string_view key) {
  taken_.push_back(key);
  const auto found = object_->find(key);
  if (found != object_->end()) return &found->second;
  refuse(fmt::format("\"{}\" is missing", key));
  return nullptr;
}

std::string ObjectReader::text(std::string_view key, std::size_t limit_bytes) {
  const Json* member = take(key);
  if (member == nullptr) return {};
  const std::string* text = member->text();
  if (text == nullptr) {
    refuse(fmt::format("\"{}\" must be text", key));
    return {};
  }
  if (text->size() > limit_bytes) {
    refuse(fmt::format("\"{}\" is longer than {} bytes", key, limit_bytes));
    return {};
  }
  return *text;
}

std::int64_t ObjectReader::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const Json* member = take(key);
  if (member == nullptr) return least;
  const std::int64_t* integer = member->integer();
  if (integer == nullptr || *integer < least || *integer > most) {
    refuse(least == most ? fmt::format("\"{}\" must be {}", key, least)
                         : fmt::format("\"{}\" must be an integer from {} to {}", key, least, most));
    return least;
  }
  return *integer;
}

bool ObjectReader::boolean(std::string_view key) {
  const Json* member = take(key);
  if (member == nullptr) return false;
  if (member->boolean() == nullptr) {
    refuse(fmt::format("\"{}\" must be true or false", key));
    return false;
  }
  return *member->boolean();
}

Digest ObjectReader::digest(std::string_view key) {
  Digest digest{};
  const Json* member = take(key);
  if (member == nullptr) return digest;
  if (member->text() == nullptr || !read_hex(*member->text(), digest)) {
    refuse(fmt::format("\"{}\" must be {} hexadecimal digits in lower case", key, 2 * digest.size()));
    return {};
  }
  return digest;
}

Bytes ObjectReader::bytes(std::string_view key, std::size_t size_bytes) {
  const Json* member = take(key);
  if (member == nullptr) return {};
  const std::size_t encoded_bytes = (size_bytes + 2) / 3 * 4;
  const std::string* text = member->text();
  auto bytes = text != nullptr && text->size() == encoded_bytes ? from_base64(*text) : std::nullopt;
  if (!bytes || bytes->size() != size_bytes) {
    refuse(fmt::format("\"{}\" must be base64 of {} bytes", key, size_bytes));
    return {};
  }
  return std::move(*bytes);
}

const Json::Array& ObjectReader::array(std::string_view key, std::size_t limit_count) {
  const Json* member = take(key);
  if (member == nullptr) return kNoElements;
  const Json::Array* array = member->array();
  if (array == nullptr || array->size() > limit_count) {
    refuse(fmt::format("\"{}\" must be an array of at most {} values", key, limit_count));
    return kNoElements;
  }
  return *array;
}

const Json& ObjectReader::object(std::string_view key) {
  const Json* member = take(key);
  if (member == nullptr) return kNoMembers;
  if (member->object() == nullptr) {
    refuse(fmt::format("\"{}\" must be an object", key));
    return kNoMembers;
  }
  return *member;
}

std::vector<std::string> ObjectReader::texts(std::string_view key, std::size_t limit_count, std::size_t limit_bytes) {
  std::vector<std::string> texts;
  for (const Json& element : array(key, limit_count)) {
    const std::string* text = element.text();
    if (text == nullptr || text->size() > limit_bytes) {
      refuse(fmt::format("\"{}\" must hold texts of at most {} bytes", key, limit_bytes));
      return {};
    }
    texts.push_back(*text);
  }
  return texts;
}

std::vector<Digest> ObjectReader::digests(std::string_view key, std::size_t limit_count) {
  std::vector<Digest> digests;
  for (const std::string& text : texts(key, limit_count, 2 * sizeof(Digest))) {
    if (!read_hex(text, digests.emplace_back())) {
      refuse(fmt::format("\"{}\" must hold hashes in hexadecimal", key));
      return {};
    }
  }
  return digests;
}

Json::Array hex_of(std::span<const Digest> digests) {
  Json::Array texts;
  for (const Digest& digest : digests) texts.emplace_back(to_hex(digest));
  return texts;
}

Status ObjectReader::finish() {
  for (const auto& [key, member] : *object_) {
    if (std::ranges::find(taken_, key) == taken_.end()) refuse(fmt::format("\"{}\" is not known", shown(key)));
  }
  if (!first_error_.empty()) return fail(Errc::format, first_error_);
  return {};
}

}  // namespace parley::log
