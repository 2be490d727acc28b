#include "session/detail/fact_scanner.h"

#include <array>

#include "base/encoding.h"
#include "log/entry_type.h"
#include "log/pjson.h"
#include "psi/intersect/protocol.h"
#include "session/padding.h"
#include "session/states.h"

namespace parley::session::detail {
namespace {

constexpr std::size_t kMaxDigits = 16;  // of 2^53 - 1
constexpr std::size_t kMaxLabelBytes = 256;
constexpr std::size_t kMaxSuites = 16;
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xff;

constexpr std::array<std::uint8_t, 256> values_of(std::string_view alphabet) {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}
constexpr auto kBase64Values = values_of(kBase64);

/// One pass over the text; every function takes what its name says, or nothing is taken any more.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool word(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool integer(std::int64_t least, std::int64_t most, std::int64_t& out) {
    const bool negative = word("-");
    std::size_t digits = 0;
    std::int64_t value = 0;
    for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
      if (digits == kMaxDigits) return false;
      value = value * 10 + (rest_[digits] - '0');
    }
    if (digits == 0 || (rest_[0] == '0' && (digits > 1 || negative))) return false;
    out = negative ? -value : value;
    if (out < least || out > most) return false;
    rest_.remove_prefix(digits);
    return true;
  }
  bool unsigned_integer(std::int64_t least, std::int64_t most, std::uint64_t& out) {
    std::int64_t value = 0;
    if (!integer(least, most, value)) return false;
    out = static_cast<std::uint64_t>(value);
    return true;
  }
  bool boolean(bool& out) {
    out = word("true");
    return out || word("false");
  }
  /// Up to the closing quote: no escapes, nothing beyond ASCII.
  bool text(std::size_t limit, std::string_view& out) {
    std::size_t size = 0;
    while (size < rest_.size() && rest_[size] != '"') {
      const char c = rest_[size];
      if (c < ' ' || c > '~' || c == '\\' || size == limit) return false;
      ++size;
    }
    if (size == rest_.size()) return false;
    out = rest_.substr(0, size);
    rest_.remove_prefix(size + 1);
    return true;
  }
  bool digest(Digest& out) {
    constexpr std::size_t kDigits = 2 * sizeof(Digest);
    if (rest_.size() <= kDigits || rest_[kDigits] != '"' || !read_hex(rest_.substr(0, kDigits), out)) return false;
    rest_.remove_prefix(kDigits + 1);
    return true;
  }
  /// Canonical base64 of so many bytes, and the closing quote. What it says is not needed.
  bool base64(std::size_t size_bytes) {
    const std::size_t padding = (3 - size_bytes % 3) % 3;
    const std::size_t characters = (size_bytes + 2) / 3 * 4;
    if (rest_.size() <= characters || rest_[characters] != '"') return false;
    std::uint8_t last = 0, wrong = 0;
    for (std::size_t i = 0; i < characters - padding; ++i) {
      last = kBase64Values[static_cast<unsigned char>(rest_[i])];
      wrong = static_cast<std::uint8_t>(wrong | (last == kNone ? 1 : 0));
    }
    for (std::size_t i = characters - padding; i < characters; ++i)
      wrong = static_cast<std::uint8_t>(wrong | (rest_[i] == '=' ? 0 : 1));
    // The bits behind the last byte are zero.
    if ((last & ((1u << 2 * padding) - 1)) != 0) return false;
    rest_.remove_prefix(characters + 1);
    return wrong == 0;
  }
  /// Behind an opening bracket: `element()` takes each, until the closing one.
  template <typename Element>
  bool array(std::size_t most, Element&& element) {
    if (word("]")) return true;
    for (std::size_t count = 0; count < most; ++count) {
      if (!element()) return false;
      if (word("]")) return true;
      if (!word(",")) return false;
    }
    return false;
  }
  bool padded(std::uint64_t& out) {
    return unsigned_integer(kSmallestPadded, kLargestPadded, out) && is_padded_size(out);
  }
  bool ended() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<ledger::Fact> scan_proposal(Scanner scan) {
  ledger::Proposed fact;
  std::uint64_t most_tests = 0;
  std::string_view direction_name, function_name, label;
  std::optional<indicator::Type> last;
  const auto type = [&] {
    std::string_view name;
    if (!scan.word("\"") || !scan.text(32, name)) return false;
    const auto named = indicator::type_named(name);
    if (!named || (last && *last >= *named)) return false;
    last = named;
    fact.types.add(*named);
    return true;
  };
  std::int64_t before = -1;
  const auto suite = [&] {
    const std::int64_t least = before + 1;
    return scan.integer(least, 0xffff, before);
  };
  const bool taken = scan.word("{\"most_tests\":") && scan.unsigned_integer(kSmallestPadded, kMostTests, most_tests) &&
                     scan.word(",\"nonce\":\"") && scan.base64(32) && scan.word(",\"padded\":") &&
                     scan.padded(fact.entered) && scan.word(",\"question\":{\"direction\":\"") &&
                     scan.text(32, direction_name) && scan.word(",\"function\":\"") && scan.text(32, function_name) &&
                     scan.word(",\"label\":\"") && scan.text(kMaxLabelBytes, label) &&
                     scan.word(",\"since\":\"\",\"types\":[") && scan.array(indicator::kAllTypes.size(), type) &&
                     scan.word("},\"rules\":\"") && scan.base64(16) && scan.word(",\"suites\":[") &&
                     scan.array(kMaxSuites, suite) && scan.word(",\"v\":3}") && scan.ended();
  const auto direction = direction_named(direction_name);
  if (!taken || !direction || !function_named(function_name) || fact.types.empty()) return std::nullopt;
  fact.asker_learns = *direction != Direction::theirs;
  fact.responder_learns = *direction != Direction::mine;
  fact.asker_receives = role_of(Side::asker, *direction) == psi::Role::receiver;
  return fact;
}

std::optional<ledger::Fact> scan_acceptance(Scanner scan) {
  ledger::Accepted fact;
  std::int64_t suite = 0;
  if (!scan.word("{\"nonce\":\"") || !scan.base64(32) || !scan.word(",\"padded\":") || !scan.padded(fact.entered) ||
      !scan.word(",\"suite\":") || !scan.integer(0, 0xffff, suite) || !scan.word(",\"v\":3}") || !scan.ended())
    return std::nullopt;
  fact.suite = static_cast<std::uint16_t>(suite);
  return fact;
}

std::optional<ledger::Fact> scan_run(Scanner scan) {
  ledger::Ran fact;
  if (!scan.word("{\"probe_items\":") || !scan.unsigned_integer(0, log::kMaxInteger, fact.entered) ||
      !scan.word(",\"v\":1}") || !scan.ended())
    return std::nullopt;
  return fact;
}

std::optional<ledger::Fact> scan_result(Scanner scan) {
  ledger::Resulted fact;
  if (!scan.word("{\"count\":") || !scan.integer(-1, kLargestPadded, fact.count) || !scan.word(",\"learned\":") ||
      !scan.boolean(fact.learned) || !scan.word(",\"result_root\":\"") || !scan.digest(fact.root) ||
      !scan.word(",\"transcript\":\"") || !scan.digest(fact.transcript) || !scan.word(",\"v\":1}") || !scan.ended())
    return std::nullopt;
  return fact;
}

std::optional<ledger::Fact> scan_close(Scanner scan) {
  ledger::Closed fact;
  Digest peer_result;
  if (!scan.word("{\"agree\":") || !scan.boolean(fact.agreed) || !scan.word(",\"peer_result\":\"") ||
      !scan.digest(peer_result) || !scan.word(",\"v\":1}") || !scan.ended())
    return std::nullopt;
  return fact;
}

std::optional<ledger::Fact> scan_settlement(Scanner scan) {
  ledger::Settled fact;
  const auto range = [&](std::string_view least, std::string_view most, ledger::Range& out) {
    return scan.word(least) && scan.integer(0, log::kMaxInteger, out.known) && scan.word(most) &&
           scan.integer(out.known, log::kMaxInteger, out.worst);
  };
  if (!scan.word("{\"asker_entered\":") || !scan.unsigned_integer(0, log::kMaxInteger, fact.asker_entered) ||
      !range(",\"asker_matches_least\":", ",\"asker_matches_most\":", fact.asker_matches) ||
      !scan.word(",\"responder_entered\":") || !scan.unsigned_integer(0, log::kMaxInteger, fact.responder_entered) ||
      !range(",\"responder_matches_least\":", ",\"responder_matches_most\":", fact.responder_matches) ||
      !scan.word(",\"v\":1}") || !scan.ended())
    return std::nullopt;
  return fact;
}

}  // namespace

std::optional<ledger::Fact> scan_fact(std::string_view type, std::string_view body) {
  const Scanner scan(body);
  if (type == kPropose) return scan_proposal(scan);
  if (type == kAccept) return scan_acceptance(scan);
  if (type == kRun) return scan_run(scan);
  if (type == kResult) return scan_result(scan);
  if (type == kClose) return scan_close(scan);
  if (type == log::kLedgerSettle) return scan_settlement(scan);
  return std::nullopt;
}

}  // namespace parley::session::detail
