#include "indicator/warning_list.h"

#include <fmt/format.h>
#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <optional>
#include <set>
#include <span>

#include "base/text.h"
#include "indicator/detail/address.h"
#include "indicator/detail/built_in_lists.h"
#include "indicator/detail/key_table.h"
#include "indicator/detail/unicode.h"
#include "indicator/detail/url.h"

namespace parley::indicator {
namespace {

using detail::Address;

/// What one regular expression, and all of one list together, may take (bytes).
constexpr std::int64_t kRegexMemory = std::int64_t{1} << 20;
constexpr std::int64_t kRegexSetMemory = std::int64_t{64} << 20;
/// Every value is compared with every entry of these kinds, so their number is bounded; published lists hold a few
/// dozen.
constexpr std::size_t kMaxRegexEntries = 10'000;
constexpr std::size_t kMaxSubstringEntries = 10'000;

using ListNumber = std::uint32_t;

struct Range {
  Address first;
  Address last;
};

/// Address ranges of one list: sorted, disjoint, neighbours joined.
struct RangeList {
  ListNumber list = 0;
  std::vector<Range> ranges;

  void settle() {
    std::ranges::sort(ranges, {}, &Range::first);
    std::vector<Range> joined;
    for (const Range& range : ranges) {
      if (!joined.empty() && range.first <= successor(joined.back().last)) {
        joined.back().last = std::max(joined.back().last, range.last);
      } else {
        joined.push_back(range);
      }
    }
    ranges = std::move(joined);
  }

  bool contains(const Range& wanted) const {
    const auto after = std::ranges::upper_bound(ranges, wanted.first, {}, &Range::first);
    return after != ranges.begin() && wanted.last <= std::prev(after)->last;
  }

  /// The next address; the last one of all is its own, and of IPv4 too, which keeps the families apart.
  static Address successor(Address address) {
    const bool ipv4 = address.is_ipv4();
    Address next = address;
    for (std::size_t i = next.bytes.size(); i-- > 0;) {
      if (++next.bytes[i] != 0) return next.is_ipv4() == ipv4 ? next : address;
    }
    return address;
  }
};

struct RegexList {
  ListNumber list = 0;
  std::vector<std::unique_ptr<re2::RE2>> each;
  std::unique_ptr<re2::RE2::Set> together;

  bool matches(std::string_view value) const {
    const re2::StringPiece piece(value.data(), value.size());
    re2::RE2::Set::ErrorInfo error{};
    std::vector<int> hits;
    if (together->Match(piece, &hits, &error)) return true;
    if (error.kind != re2::RE2::Set::kOutOfMemory) return false;
    // The automaton of all outgrew its memory on this value; each alone falls back to a slower, smaller machine.
    return std::ranges::any_of(each, [&](const auto& regex) { return re2::RE2::PartialMatch(piece, *regex); });
  }
};

struct SubstringList {
  ListNumber list = 0;
  std::vector<std::string> parts;
};

std::unexpected<Error> bad_entry(const WarningList& list, std::size_t index, std::string_view why) {
  const std::string& entry = list.entries[index];
  return fail(Errc::format,
              fmt::format("entry {} (\"{}\") {}", index + 1, visible(std::string_view(entry).substr(0, 80)), why),
              fmt::format("warning list \"{}\"", visible(list.name)));
}

/// Canonical spelling of an exact entry: as an address, a URL, a domain or a hash if it is one; else its lower case.
std::string exact_key(std::string_view entry) {
  if (const auto canonical = canonicalise(Type::domain, entry)) return canonical->value();
  return detail::ascii_lower(detail::trim(entry));
}

/// A list may write its expressions as /.../i (MISP does).
std::string undelimited(std::string_view entry, bool& ignore_case) {
  if (entry.size() < 2 || entry.front() != '/') return std::string(entry);
  const std::size_t end = entry.rfind('/');
  const std::string_view flags = entry.substr(end + 1);
  if (end == 0 || !std::ranges::all_of(flags, detail::is_lower)) return std::string(entry);
  ignore_case = flags.find('i') != std::string_view::npos;
  return std::string(entry.substr(1, end - 1));
}

/// The name or address that `value` leads to, if it is a URL or an e-mail address.
std::string_view host_part(const Canonical& value) {
  if (value.type() == Type::url) return detail::host_of(value.value());
  if (value.type() == Type::email) return std::string_view(value.value()).substr(value.value().rfind('@') + 1);
  return {};
}

std::optional<Range> range_of(std::string_view text) {
  if (const auto ipv4 = detail::parse_ipv4(text)) return Range{*ipv4, *ipv4};
  if (const auto ipv6 = detail::parse_ipv6(text)) return Range{*ipv6, *ipv6};
  if (const auto prefix = detail::parse_prefix(text)) return Range{prefix->first(), prefix->last()};
  return std::nullopt;
}

bool is_network(Type type) {
  return type == Type::ipv4 || type == Type::ipv6 || type == Type::cidr || type == Type::domain || type == Type::url ||
         type == Type::email;
}

}  // namespace

struct WarningLists::Index {
  std::vector<std::string> names;
  detail::KeyTable exact;
  detail::KeyTable hostnames;
  std::vector<RangeList> ranges;
  std::vector<SubstringList> substrings;
  std::vector<RegexList> regexes;

  ListNumber number_of(const std::string& name) {
    const auto found = std::ranges::find(names, name);
    if (found != names.end()) return static_cast<ListNumber>(found - names.begin());
    names.push_back(name);
    return static_cast<ListNumber>(names.size() - 1);
  }

  Status add_exact(const WarningList& list);
  Status add_hostnames(const WarningList& list);
  Status add_ranges(const WarningList& list);
  Status add_substrings(const WarningList& list);
  Status add_regexes(const WarningList& list);
  void look_up(std::string_view text, bool network, std::vector<ListNumber>& hits) const;
};

Status WarningLists::Index::add_exact(const WarningList& list) {
  std::vector<std::string> keys;
  keys.reserve(list.entries.size());
  for (std::size_t i = 0; i < list.entries.size(); ++i) {
    keys.push_back(exact_key(list.entries[i]));
    if (keys.back().empty()) return bad_entry(list, i, "is empty");
  }
  exact.add(keys, number_of(list.name));
  return {};
}

Status WarningLists::Index::add_hostnames(const WarningList& list) {
  std::vector<std::string> keys;
  keys.reserve(list.entries.size());
  for (std::size_t i = 0; i < list.entries.size(); ++i) {
    std::string_view entry = detail::trim(list.entries[i]);
    if (entry.starts_with('*')) entry.remove_prefix(1);
    if (entry.starts_with('.')) entry.remove_prefix(1);
    auto host = detail::canonical_host(entry, 1);
    if (!host) return bad_entry(list, i, "is no host name");
    keys.push_back(std::move(*host));
  }
  hostnames.add(keys, number_of(list.name));
  return {};
}

Status WarningLists::Index::add_ranges(const WarningList& list) {
  RangeList out;
  out.ranges.reserve(list.entries.size());
  for (std::size_t i = 0; i < list.entries.size(); ++i) {
    const auto range = range_of(detail::trim(list.entries[i]));
    if (!range) return bad_entry(list, i, "is no address range such as 192.0.2.0/24");
    out.ranges.push_back(*range);
  }
  out.settle();
  out.list = number_of(list.name);
  ranges.push_back(std::move(out));
  return {};
}

Status WarningLists::Index::add_substrings(const WarningList& list) {
  if (list.entries.size() > kMaxSubstringEntries) {
    return fail(Errc::limit, fmt::format("a list of substrings holds at most {} entries", kMaxSubstringEntries),
                fmt::format("warning list \"{}\"", visible(list.name)));
  }
  SubstringList out;
  for (std::size_t i = 0; i < list.entries.size(); ++i) {
    out.parts.push_back(detail::ascii_lower(detail::trim(list.entries[i])));
    if (out.parts.back().empty()) return bad_entry(list, i, "is empty, and everything holds the empty string");
  }
  out.list = number_of(list.name);
  substrings.push_back(std::move(out));
  return {};
}

Status WarningLists::Index::add_regexes(const WarningList& list) {
  if (list.entries.size() > kMaxRegexEntries) {
    return fail(Errc::limit, fmt::format("a list of regular expressions holds at most {} entries", kMaxRegexEntries),
                fmt::format("warning list \"{}\"", visible(list.name)));
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemory);
  re2::RE2::Options set_options = options;
  set_options.set_max_mem(kRegexSetMemory);
  RegexList out;
  out.together = std::make_unique<re2::RE2::Set>(set_options, re2::RE2::UNANCHORED);
  for (std::size_t i = 0; i < list.entries.size(); ++i) {
    bool ignore_case = false;
    std::string pattern = undelimited(list.entries[i], ignore_case);
    if (ignore_case) pattern.insert(0, "(?i)");
    auto regex = std::make_unique<re2::RE2>(pattern, options);
    if (!regex->ok()) {
      return bad_entry(list, i, fmt::format("is no regular expression that RE2 takes: {}", visible(regex->error())));
    }
    if (out.together->Add(pattern, nullptr) < 0) return bad_entry(list, i, "is no regular expression that RE2 takes");
    out.each.push_back(std::move(regex));
  }
  if (!out.together->Compile()) {
    return fail(Errc::limit, "its regular expressions together take too much memory; split the list",
                fmt::format("warning list \"{}\"", visible(list.name)));
  }
  out.list = number_of(list.name);
  regexes.push_back(std::move(out));
  return {};
}

void WarningLists::Index::look_up(std::string_view text, bool network, std::vector<ListNumber>& hits) const {
  exact.find(text, hits);
  for (const SubstringList& list : substrings) {
    const std::string lowered = detail::ascii_lower(text);
    const auto held = [&](const std::string& part) { return lowered.find(part) != std::string::npos; };
    if (std::ranges::any_of(list.parts, held)) hits.push_back(list.list);
  }
  for (const RegexList& list : regexes) {
    if (list.matches(text)) hits.push_back(list.list);
  }
  if (!network) return;
  if (const auto range = range_of(text)) {
    for (const RangeList& list : ranges) {
      if (list.contains(*range)) hits.push_back(list.list);
    }
    hostnames.find(text, hits);
    return;
  }
  for (std::string_view name = text; !name.empty();) {
    hostnames.find(name, hits);
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) break;
    name.remove_prefix(dot + 1);
  }
}

WarningLists::WarningLists() : index_(std::make_unique<Index>()) {}
WarningLists::~WarningLists() = default;
WarningLists::WarningLists(WarningLists&&) noexcept = default;
WarningLists& WarningLists::operator=(WarningLists&&) noexcept = default;

WarningLists WarningLists::built_in() {
  WarningLists lists;
  for (const WarningList& list : detail::built_in_lists()) {
    // They are constants of this program, and a test adds each.
    if (!lists.add(list)) std::abort();
  }
  return lists;
}

Status WarningLists::add(const WarningList& list) {
  switch (list.match) {
    case WarningMatch::exact:
      return index_->add_exact(list);
    case WarningMatch::hostname:
      return index_->add_hostnames(list);
    case WarningMatch::cidr:
      return index_->add_ranges(list);
    case WarningMatch::substring:
      return index_->add_substrings(list);
    case WarningMatch::regex:
      return index_->add_regexes(list);
  }
  return fail(Errc::format, "this kind of warning list is not known", list.name);
}

std::vector<std::string> WarningLists::marks(const Canonical& value) const {
  std::vector<ListNumber> hits;
  index_->look_up(value.value(), is_network(value.type()), hits);
  if (const std::string_view host = host_part(value); !host.empty()) index_->look_up(host, true, hits);
  std::set<std::string> names;
  for (const ListNumber hit : hits) names.insert(index_->names[hit]);
  return {names.begin(), names.end()};
}

}  // namespace parley::indicator
