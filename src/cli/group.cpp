// parley group: charters and memberships. What its commands share.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "base/text.h"
#include "cli/group_command.h"
#include "cli/unlock.h"

namespace parley::cli {
namespace {

constexpr unsigned kPaperMode = 0644;  // papers go to others

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(at, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

std::function<void()> at_work(Chosen& chosen, std::function<Status(Workplace&)> body) {
  return [&chosen, body = std::move(body)] {
    chosen.at_work = [body](Workplace& at) {
      const Status done = body(at);
      return done ? 0 : at.console.refuse(done.error());
    };
  };
}

group::Desk desk_of(const Workplace& at) {
  return {at.folder, at.vault, at.member.card};
}

Result<Secret<32>> id_seed_of(Workplace& at) {
  TRY(const vault::Unlock unlock, unlock_from_surroundings(at.console));
  return group::load_id_seed(at.folder, unlock);
}

Result<group::Membership> membership_of(Workplace& at, const vault::GroupRow& group) {
  TRY(const log::VerifierKey own, group::own_id_key(at.member.card));
  return group::Membership::load(at.vault, group, own);
}

Result<std::string> read_paper(Workplace& at, const std::string& file) {
  Result<Bytes> content = file == "-" ? at.console.read_input(group::kMaxPaperBytes)
                                      : read_file(at.console.resolve(file), group::kMaxPaperBytes);
  if (!content) return std::unexpected(std::move(content).error());
  return std::string(as_text(*content));
}

Status write_paper(Workplace& at, const std::string& file, const std::string& fallback, std::string_view content) {
  const std::filesystem::path path = at.console.resolve(file.empty() ? fallback : file);
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored))
    return fail(Errc::exists, "There is a file of this name already. Say another: --out FILE.", path.string());
  TRY_STATUS(write_file_atomically(path, as_bytes(content), kPaperMode));
  at.console.print(path.string() + "\n");
  return {};
}

Status ask_yes(Workplace& at, bool yes, std::string_view question) {
  if (yes) return {};
  if (!at.console.interactive())
    return fail(Errc::cancelled, "Nothing was done: there is no terminal to ask on. Read the above and add --yes.");
  if (!at.console.confirm(question)) return fail(Errc::cancelled, "Nothing was done.");
  return {};
}

Result<std::vector<std::pair<std::size_t, std::int64_t>>> numbers_option(const std::string& text, std::string_view what,
                                                                         std::span<const std::string_view> names) {
  std::vector<std::pair<std::size_t, std::int64_t>> numbers;
  for (const std::string& part : split(text, ',')) {
    const std::size_t equals = part.find('=');
    const auto named = std::ranges::find(names, part.substr(0, equals));
    const std::string_view digits =
        equals == part.npos ? std::string_view() : std::string_view(part).substr(equals + 1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool is_number = !digits.empty() && error == std::errc() && end == digits.data() + digits.size();
    if (named == names.end() || !is_number || value < 0)
      return fail(Errc::usage, fmt::format("\"{}\" is no {}; write NAME=NUMBER with one of {}.", visible(part), what,
                                           fmt::join(names, ", ")));
    numbers.emplace_back(static_cast<std::size_t>(named - names.begin()), value);
  }
  return numbers;
}

Result<std::vector<std::pair<group::NamedCap, std::int64_t>>> caps_option(const std::string& text) {
  std::vector<std::string_view> names;
  for (const group::NamedCap& cap : group::kNamedCaps) names.push_back(cap.name);
  TRY(const auto numbers, numbers_option(text, "cap", names));
  std::vector<std::pair<group::NamedCap, std::int64_t>> caps;
  for (const auto& [place, value] : numbers) caps.emplace_back(group::kNamedCaps[place], value);
  return caps;
}

Result<QuestionOption> question_option(const std::string& text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3)
    return fail(Errc::usage, fmt::format("\"{}\" is no question; write TYPE:count or TYPE,TYPE:intersection, with caps "
                                         "after another colon if you like.",
                                         visible(text)));
  QuestionOption option;
  TRY(option.types, types_from(parts[0] == "all" ? std::vector<std::string>() : split(parts[0], ',')));
  const auto function = group::function_named(parts[1]);
  if (!function)
    return fail(Errc::usage,
                fmt::format("\"{}\" is no function; there are count and intersection.", visible(parts[1])));
  option.function = *function;
  if (parts.size() == 3) {
    TRY(option.caps, caps_option(parts[2]));
  }
  return option;
}

Result<std::vector<group::AdmissionCap>> admission_option(const std::string& text) {
  std::vector<group::AdmissionCap> caps;
  if (text == "none") return caps;
  std::vector<std::string_view> names;
  for (const indicator::Type type : indicator::kAllTypes) names.push_back(indicator::name_of(type));
  TRY(const auto numbers, numbers_option(text, "type", names));
  for (const auto& [place, most] : numbers) caps.push_back({.type = indicator::kAllTypes[place], .most = most});
  std::ranges::sort(caps, {}, [](const group::AdmissionCap& cap) { return indicator::name_of(cap.type); });
  return caps;
}

Result<indicator::Tlp> tlp_option(const std::string& text) {
  if (const auto tlp = indicator::tlp_named(text)) return *tlp;
  return fail(Errc::usage, fmt::format("\"{}\" is no TLP mark; there are clear, green, amber, amber+strict and red.",
                                       visible(text)));
}

Result<UnixSeconds> time_option(std::string_view option, const std::string& text) {
  if (const auto time = parse_time(text)) return *time;
  return fail(Errc::usage, fmt::format("{} takes a date like 2027-01-31, or an RFC 3339 time.", option));
}

Status check_leaves_time(const group::Charter& charter, UnixSeconds from) {
  if (charter.sessions_end() > from) return {};
  return fail(Errc::usage, fmt::format("No session would be possible: sessions end {} s before the charter does, by "
                                       "clocks that may be that far apart, and that is not after {}. Let it end later.",
                                       charter.clock_skew_seconds, to_rfc3339(from)));
}

void sort_questions(group::Charter& charter) {
  std::ranges::sort(charter.questions, {}, [](const group::AllowedQuestion& question) {
    return std::pair(indicator::name_of(question.type), group::name_of(question.function));
  });
}

void add_group(Command& program, Chosen& chosen) {
  Command* family = program.add_subcommand("group", "Charters: who may ask whom about what, how much, and until when");
  family->require_subcommand(1);
  add_group_draft(*family, chosen);
  add_group_join(*family, chosen);
  add_group_sign(*family, chosen);
  add_group_show(*family, chosen);
  add_group_amend(*family, chosen);
  add_group_policy(*family, chosen);
  add_group_admit(*family, chosen);
  add_group_rotate(*family, chosen);
  add_group_withdraw(*family, chosen);
}

}  // namespace parley::cli
