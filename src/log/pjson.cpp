// The strict reader and the writer of PJ1. Specified in docs/wire-format.md after log.md 2.2.
// The reader takes one spelling of each value, so that what was signed and what was read are the same bytes.
#include "log/pjson.h"

#include <fmt/format.h>

#include <stdexcept>

#include "base/encoding.h"
#include "base/text.h"

namespace parley::log {
namespace {

constexpr std::size_t kMaxKeyBytes = 32;        // [a-z][a-z0-9_]{0,31}
constexpr std::size_t kMaxDigits = 16;          // of 2^53 - 1
constexpr std::size_t kNumericEscapeBytes = 6;  // \u00xx

bool is_key(std::string_view key) {
  if (key.empty() || key.size() > kMaxKeyBytes || key[0] < 'a' || key[0] > 'z') return false;
  for (const char c : key) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
  }
  return true;
}

/// The letter of the two-character escape of a control character, or 0.
char escape_letter(char c) {
  switch (c) {
    case '"':
      return '"';
    case '\\':
      return '\\';
    case '\b':
      return 'b';
    case '\t':
      return 't';
    case '\n':
      return 'n';
    case '\f':
      return 'f';
    case '\r':
      return 'r';
    default:
      return 0;
  }
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20;
}

/// The one spelling of `c` inside a string.
void write_character(std::string& out, char c) {
  if (const char letter = escape_letter(c); letter != 0) {
    out += '\\';
    out += letter;
  } else if (is_control(c)) {
    out += fmt::format("\\u00{:02x}", static_cast<unsigned>(c));
  } else {
    out += c;
  }
}

/// One pass over valid UTF-8; every function takes what its name says at position_ or records why not.
class Parser {
 public:
  Parser(std::string_view text, std::size_t limit_values) : text_(text), limit_values_(limit_values) {}

  Result<Json> document() {
    if (peek() != '{') return refuse("the top level must be an object");
    TRY(Json value, this->value(1));
    if (position_ != text_.size()) return refuse("something follows the object");
    return value;
  }

 private:
  char peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }

  bool take(char c) {
    if (peek() != c || position_ == text_.size()) return false;
    ++position_;
    return true;
  }

  bool take(std::string_view word) {
    if (!text_.substr(position_).starts_with(word)) return false;
    position_ += word.size();
    return true;
  }

  std::unexpected<Error> refuse(std::string_view why, Errc code = Errc::format) const {
    return fail(code, fmt::format("Not in the canonical form of JSON (PJ1): {}.", why),
                fmt::format("byte {}", position_));
  }

  Result<Json> value(std::size_t depth) {
    if (values_++ == limit_values_) return refuse(fmt::format("more than {} values", limit_values_), Errc::limit);
    if (depth > kMaxDepth && (peek() == '{' || peek() == '[')) {
      return refuse(fmt::format("nested deeper than {} levels", kMaxDepth), Errc::limit);
    }
    switch (peek()) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"': {
        TRY(std::string text, string());
        return Json(std::move(text));
      }
      case 't':
        if (take("true")) return Json(true);
        return refuse("an unknown word");
      case 'f':
        if (take("false")) return Json(false);
        return refuse("an unknown word");
      case 'n':
        return refuse("there is no null");
      default:
        return integer();
    }
  }

  Result<Json> object(std::size_t depth) {
    ++position_;
    Json::Object members;
    if (take('}')) return Json(std::move(members));
    do {
      if (members.size() == kMaxMembers) {
        return refuse(fmt::format("an object of more than {} members", kMaxMembers), Errc::limit);
      }
      if (peek() != '"') return refuse("a key in double quotes is due");
      TRY(std::string key, string());
      if (!is_key(key)) return refuse("a key must be [a-z][a-z0-9_]{0,31}");
      if (!members.empty() && members.rbegin()->first >= key) return refuse("keys must ascend, each once");
      if (!take(':')) return refuse("a colon is due");
      TRY(Json member, value(depth + 1));
      members.emplace_hint(members.end(), std::move(key), std::move(member));
    } while (take(','));
    if (!take('}')) return refuse("a comma or the end of the object is due");
    return Json(std::move(members));
  }

  Result<Json> array(std::size_t depth) {
    ++position_;
    Json::Array elements;
    if (take(']')) return Json(std::move(elements));
    do {
      TRY(Json element, value(depth + 1));
      elements.push_back(std::move(element));
    } while (take(','));
    if (!take(']')) return refuse("a comma or the end of the array is due");
    return Json(std::move(elements));
  }

  Result<Json> integer() {
    const bool negative = take('-');
    const std::size_t start = position_;
    std::int64_t value = 0;
    while (peek() >= '0' && peek() <= '9') {
      if (position_ - start == kMaxDigits) return refuse("an integer of more than 53 bits");
      value = value * 10 + (text_[position_++] - '0');
    }
    const std::size_t digits = position_ - start;
    if (digits == 0) return refuse("a value is due");
    if (text_[start] == '0' && digits > 1) return refuse("an integer with a leading zero");
    if (negative && value == 0) return refuse("minus zero");
    if (value > kMaxInteger) return refuse("an integer of more than 53 bits");
    if (peek() == '.' || peek() == 'e' || peek() == 'E') return refuse("there are no fractions and no exponents");
    return Json(negative ? -value : value);
  }

  Result<std::string> string() {
    ++position_;
    std::string out;
    while (position_ < text_.size()) {
      const char c = text_[position_];
      if (c == '"') {
        ++position_;
        return out;
      }
      if (is_control(c)) return refuse("a control character that is not escaped");
      if (c != '\\') {
        out += c;
        ++position_;
        continue;
      }
      TRY(const char escaped, escape());
      out += escaped;
    }
    return refuse("the text ends inside a string");
  }

  /// Takes an escape if it is the one spelling of its character.
  Result<char> escape() {
    constexpr std::string_view kLetters = "\"\\btnfr";
    constexpr std::string_view kMeanings = "\"\\\b\t\n\f\r";
    const std::string_view rest = text_.substr(position_ + 1);
    if (const std::size_t letter = rest.empty() ? rest.npos : kLetters.find(rest[0]); letter != rest.npos) {
      position_ += 2;
      return kMeanings[letter];
    }
    const auto code = rest.starts_with("u00") ? from_hex(rest.substr(3, 2)) : std::nullopt;
    if (code && code->size() == 1) {
      const char character = static_cast<char>((*code)[0]);
      if (is_control(character) && escape_letter(character) == 0) {
        position_ += kNumericEscapeBytes;
        return character;
      }
    }
    return refuse("an escape that is not the canonical one");
  }

  std::string_view text_;
  std::size_t position_ = 0;
  std::size_t values_ = 0;
  const std::size_t limit_values_;
};

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(std::string("write_pjson: ") + what);
}

void write_string(std::string& out, std::string_view text) {
  require(is_valid_utf8(text), "text that is not valid UTF-8");
  out += '"';
  for (const char c : text) write_character(out, c);
  out += '"';
}

void write(std::string& out, const Json& value, std::size_t depth);

void write_object(std::string& out, const Json::Object& object, std::size_t depth) {
  require(object.size() <= kMaxMembers, "too many members");
  out += '{';
  bool first = true;
  for (const auto& [key, member] : object) {
    require(is_key(key), "a key that PJ1 does not allow");
    if (!first) out += ',';
    first = false;
    write_string(out, key);
    out += ':';
    write(out, member, depth + 1);
  }
  out += '}';
}

void write_array(std::string& out, const Json::Array& array, std::size_t depth) {
  out += '[';
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i > 0) out += ',';
    write(out, array[i], depth + 1);
  }
  out += ']';
}

void write(std::string& out, const Json& value, std::size_t depth) {
  if (const auto* boolean = value.boolean()) {
    out += *boolean ? "true" : "false";
  } else if (const auto* integer = value.integer()) {
    require(*integer >= -kMaxInteger && *integer <= kMaxInteger, "an integer of more than 53 bits");
    out += fmt::format("{}", *integer);
  } else if (const auto* text = value.text()) {
    write_string(out, *text);
  } else {
    require(depth <= kMaxDepth, "nested too deep");
    if (const auto* object = value.object()) return write_object(out, *object, depth);
    write_array(out, *value.array(), depth);
  }
}

}  // namespace

Result<Json> parse_pjson(std::string_view text, std::size_t limit_bytes, std::size_t limit_values) {
  if (text.size() > limit_bytes) {
    return fail(Errc::limit,
                fmt::format("A signed object of {} bytes is longer than its limit of {}.", text.size(), limit_bytes));
  }
  if (!is_valid_utf8(text))
    return fail(Errc::format, "Not in the canonical form of JSON (PJ1): it is not valid UTF-8.");
  return Parser(text, limit_values).document();
}

std::string write_pjson(const Json& value) {
  std::string out;
  write(out, value, 1);
  return out;
}

}  // namespace parley::log
