// Amendments: what changes, which way, and who must sign (amendment.h).
#include "group/amendment.h"

#include <fmt/format.h>

#include <algorithm>

#include "log/note.h"
#include "log/quorum.h"

namespace parley::group {
namespace {

using Left = std::set<std::string, std::less<>>;

std::unexpected<Error> impossible(std::string why) {
  return fail(Errc::format, "This is no amendment that could come into force: " + std::move(why));
}

/// Gathers changes with their direction.
class Comparison {
 public:
  /// Any other value loosens.
  template <typename Value>
  void any(std::string clause, const Value& before, const Value& after) {
    if (before != after) add(std::move(clause), Effect::loosens, fmt::format("{} -> {}", before, after));
  }
  /// More loosens, less tightens.
  void less_is_tighter(std::string clause, std::int64_t before, std::int64_t after) {
    if (before != after)
      add(std::move(clause), after < before ? Effect::tightens : Effect::loosens,
          fmt::format("{} -> {}", before, after));
  }
  void more_is_tighter(std::string clause, std::int64_t before, std::int64_t after) {
    if (before != after)
      add(std::move(clause), after > before ? Effect::tightens : Effect::loosens,
          fmt::format("{} -> {}", before, after));
  }
  void time(std::string clause, UnixSeconds before, UnixSeconds after, bool later_is_tighter) {
    if (before == after) return;
    const bool tightens = later_is_tighter == (after > before);
    add(std::move(clause), tightens ? Effect::tightens : Effect::loosens,
        fmt::format("{} -> {}", to_rfc3339(before), to_rfc3339(after)));
  }
  void add(std::string clause, Effect effect, const std::string& what) {
    std::string sentence = fmt::format("{}: {}", clause, what);
    changes_.push_back({std::move(clause), effect, std::move(sentence)});
  }

  std::vector<Change> take() { return std::move(changes_); }

 private:
  std::vector<Change> changes_;
};

void compare_questions(Comparison& comparison, const Charter& before, const Charter& after) {
  for (const AllowedQuestion& was : before.questions) {
    const std::string clause = fmt::format("questions: {} {}", indicator::name_of(was.type), name_of(was.function));
    const AllowedQuestion* is = after.question(was.type, was.function);
    if (is == nullptr) {
      comparison.add(clause, Effect::tightens, "allowed -> refused");
      continue;
    }
    for (const NamedCap& cap : kNamedCaps)
      comparison.less_is_tighter(fmt::format("{}: {}", clause, cap.name), was.caps.*cap.value, is->caps.*cap.value);
  }
  for (const AllowedQuestion& is : after.questions)
    if (before.question(is.type, is.function) == nullptr)
      comparison.add(fmt::format("questions: {} {}", indicator::name_of(is.type), name_of(is.function)),
                     Effect::loosens, "refused -> allowed");
}

void compare_admission(Comparison& comparison, const AdmissionClause& before, const AdmissionClause& after) {
  if (!before.types.empty() && !after.types.empty())
    comparison.any("admission: epoch_days", before.epoch_days, after.epoch_days);
  const auto clause_of = [](indicator::Type type) { return fmt::format("admission: {}", indicator::name_of(type)); };
  for (const AdmissionCap& was : before.types) {
    const AdmissionCap* is = after.cap(was.type);
    if (is == nullptr)
      comparison.add(clause_of(was.type), Effect::loosens, "by tags -> as it is");
    else
      comparison.less_is_tighter(fmt::format("{}: {}", clause_of(was.type), kAdmissionCapName), was.most, is->most);
  }
  for (const AdmissionCap& is : after.types)
    if (before.cap(is.type) == nullptr)
      comparison.add(clause_of(is.type), Effect::loosens, fmt::format("as it is -> by tags, {} at most", is.most));
}

void compare_protocols(Comparison& comparison, const Charter& before, const Charter& after) {
  const auto has = [](const Charter& charter, const std::string& name) {
    return std::ranges::find(charter.protocols, name) != charter.protocols.end();
  };
  for (const std::string& name : before.protocols)
    if (!has(after, name)) comparison.add("protocols: " + name, Effect::tightens, "allowed -> refused");
  for (const std::string& name : after.protocols)
    if (!has(before, name)) comparison.add("protocols: " + name, Effect::loosens, "refused -> allowed");
}

/// Everything but members and quorums.
std::vector<Change> compare_terms(const Charter& before, const Charter& after) {
  Comparison comparison;
  comparison.any("name", before.name, after.name);
  comparison.any("purpose", before.purpose, after.purpose);
  comparison.time("not_before", before.not_before, after.not_before, true);
  comparison.time("not_after", before.not_after, after.not_after, false);
  comparison.any("grace_days", before.grace_days, after.grace_days);
  comparison.any("clock_skew_s", before.clock_skew_seconds, after.clock_skew_seconds);
  if (before.max_tlp != after.max_tlp)
    comparison.add("max_tlp", after.max_tlp < before.max_tlp ? Effect::tightens : Effect::loosens,
                   fmt::format("{} -> {}", indicator::name_of(before.max_tlp), indicator::name_of(after.max_tlp)));
  compare_protocols(comparison, before, after);
  compare_questions(comparison, before, after);
  compare_admission(comparison, before.admission, after.admission);
  return comparison.take();
}

std::vector<Change> compare_quorums(const Charter& before, const Charter& after) {
  Comparison comparison;
  comparison.more_is_tighter("finding_quorum", static_cast<std::int64_t>(before.finding_quorum),
                             static_cast<std::int64_t>(after.finding_quorum));
  comparison.more_is_tighter("log_quorum", static_cast<std::int64_t>(before.log_quorum),
                             static_cast<std::int64_t>(after.log_quorum));
  return comparison.take();
}

bool is_same_member(const CharterMember& a, const CharterMember& b) {
  return a.keys.nick == b.keys.nick && a.id == b.id;
}

bool same_as(const CharterMember* before, const CharterMember& after) {
  return before != nullptr && *before == after;
}

/// Sorts the members into added, expelled, gone; other keys for one who stays are a change.
std::vector<Change> compare_members(const Charter& before, const Charter& after, const Left& left, Assessment& out) {
  Comparison comparison;
  for (const CharterMember& was : before.members) {
    const CharterMember* is = after.member(was.keys.nick);
    if (is == nullptr || !is_same_member(was, *is)) {
      (left.contains(was.keys.nick) ? out.gone : out.expelled).push_back(was.keys.nick);
    } else if (*is != was) {
      comparison.add("members: " + was.keys.nick, Effect::loosens, "other keys");
    }
  }
  for (const CharterMember& is : after.members) {
    const CharterMember* was = before.member(is.keys.nick);
    if (was != nullptr && is_same_member(*was, is)) continue;
    out.added.push_back(is.keys.nick);
    comparison.add("members: " + is.keys.nick, Effect::loosens, "comes in");
  }
  return comparison.take();
}

bool quorums_follow(const Charter& before, const Charter& after) {
  return after.log_quorum == log_quorum_after(before.log_quorum, before.members.size(), after.members.size()) &&
         after.finding_quorum == finding_quorum_after(before.finding_quorum, after.members.size());
}

/// Of those who have left, who had left before `next`, as far as it shows: whoever signed it, and is in it, was there.
Left left_before(const SignedCharter& next, const Charter& before, Left left) {
  std::erase_if(left, [&](const std::string& nick) {
    const CharterMember *was = before.member(nick), *is = next.charter.member(nick);
    return next.signed_by(nick) && was != nullptr && is != nullptr && is_same_member(*was, *is);
  });
  return left;
}

Status check_follows(const Charter& before, const Charter& after) {
  if (after.group != before.group) return impossible("it is of another group.");
  if (after.domain != before.domain) return impossible("it changes the domain, by which all keys are named.");
  if (after.seq != before.seq + 1)
    return impossible(fmt::format("it is version {}, and version {} is due.", after.seq, before.seq + 1));
  if (after.prev != charter_hash(before))
    return impossible(fmt::format("it follows another version {} than the one in force.", before.seq));
  return {};
}

Needs needs_of_expulsion(const std::string& expelled, std::vector<std::string> current) {
  std::erase(current, expelled);
  const std::size_t count = current.size();
  return {.counted = std::move(current),
          .of_counted = count,
          .all_of = {},
          .why = fmt::format("all {} others, because it expels {}", count, expelled)};
}

Needs needs_of_changes(const Charter& before, const Assessment& assessed, std::vector<std::string> current) {
  const std::size_t count = current.size();
  const bool loosens =
      std::ranges::any_of(assessed.changes, [](const Change& change) { return change.effect == Effect::loosens; });
  if (loosens)
    return {.counted = std::move(current),
            .of_counted = count,
            .all_of = assessed.added,
            .why = fmt::format("all {} members, because it loosens", count)};
  const std::size_t quorum = finding_quorum_after(before.finding_quorum, count);
  return {.counted = std::move(current),
          .of_counted = quorum,
          .all_of = {},
          .why = fmt::format("{} of {} members, because it only tightens", quorum, count)};
}

}  // namespace

std::vector<std::string> Needs::missing(std::span<const std::string> signers) const {
  const auto signed_it = [&](const std::string& nick) { return std::ranges::find(signers, nick) != signers.end(); };
  std::vector<std::string> missing;
  for (const std::string& nick : counted)
    if (!signed_it(nick)) missing.push_back(nick);
  // Where not all are needed, any of those who have not signed will do.
  const std::size_t have = counted.size() - missing.size();
  if (have >= of_counted) missing.clear();
  for (const std::string& nick : all_of)
    if (!signed_it(nick)) missing.push_back(nick);
  return missing;
}

std::size_t log_quorum_after(std::size_t quorum_before, std::size_t members_before, std::size_t members_after) {
  const std::size_t surplus = quorum_before - log::log_quorum(members_before);
  return std::min(members_after, log::log_quorum(members_after) + surplus);
}

bool hold_together(const Charter& charter, const std::set<std::string, std::less<>>& absent,
                   std::span<const std::string> holders) {
  const auto is_there = [&](const std::string& nick) { return !absent.contains(nick); };
  const std::size_t count = charter.members.size(), quorum = std::max(charter.log_quorum, log::log_quorum(count));
  const auto rest = static_cast<std::size_t>(
      std::ranges::count_if(charter.members, [&](const CharterMember& member) { return is_there(member.keys.nick); }));
  const auto there = static_cast<std::size_t>(std::ranges::count_if(holders, is_there));
  return holders.size() >= quorum || (rest > 0 && rest < count && there >= log_quorum_after(quorum, count, rest));
}

std::size_t finding_quorum_after(std::size_t quorum_before, std::size_t members_after) {
  return std::min(quorum_before, members_after);
}

Result<Assessment> assess(const Charter& before, const Charter& after, const Left& left) {
  TRY_STATUS(check_follows(before, after));
  TRY_STATUS(check_charter(after));
  std::vector<std::string> current;
  for (const CharterMember& member : before.members)
    if (!left.contains(member.keys.nick)) current.push_back(member.keys.nick);
  // One is no group: else it could go on under the group's name with strangers that it made up.
  if (current.size() < kFewestMembers) return impossible("all members but one had withdrawn before it.");

  Assessment assessed;
  assessed.changes = compare_members(before, after, left, assessed);
  for (const CharterMember& member : after.members)
    if (left.contains(member.keys.nick) && !same_as(before.member(member.keys.nick), member))
      return impossible(fmt::format("{} has withdrawn, and comes back only into a new group.", member.keys.nick));
  std::ranges::move(compare_terms(before, after), std::back_inserter(assessed.changes));
  const bool shrinks = assessed.added.empty() && after.members.size() < before.members.size();
  // Quorums that only follow the number of members are no change of their own.
  if (!(shrinks && quorums_follow(before, after)))
    std::ranges::move(compare_quorums(before, after), std::back_inserter(assessed.changes));

  if (!assessed.expelled.empty()) {
    if (assessed.expelled.size() > 1) return impossible("it expels more than one member at once.");
    if (current.size() <= kFewestMembers)
      return impossible("it expels one of two members; one alone cannot decide that. Withdraw instead.");
    if (!assessed.changes.empty() || !quorums_follow(before, after))
      return impossible("it expels a member and changes something else as well; an expulsion stands alone.");
    assessed.needs = needs_of_expulsion(assessed.expelled.front(), std::move(current));
    return assessed;
  }
  if (assessed.changes.empty() && assessed.gone.empty()) return impossible("it changes nothing.");
  assessed.needs = needs_of_changes(before, assessed, std::move(current));
  return assessed;
}

Result<SignedCharter> read_taken_amendment(const SignedCharter& before, std::string_view text) {
  TRY(const log::Note note, log::parse_note(text));
  SignedCharter next;
  TRY(next.charter, read_charter_unverified(note));
  TRY_STATUS(check_follows(before.charter, next.charter));
  std::vector<log::VerifierKey> keys;
  std::vector<std::string> nicks;
  for (const Charter* version : std::initializer_list<const Charter*>{&before.charter, &next.charter}) {
    for (const CharterMember& member : version->members) {
      if (std::ranges::find(keys, member.id) != keys.end()) continue;
      keys.push_back(member.id);
      nicks.push_back(member.keys.nick);
    }
  }
  TRY(const auto signers, signers_without_strangers(note, keys));
  for (const std::size_t signer : signers) next.signers.push_back(nicks[signer]);
  next.note = text;
  next.hash = charter_hash(note.text);
  return next;
}

Result<Amendment> read_amendment(const SignedCharter& before, std::string_view text, const Left& left) {
  Amendment amendment;
  TRY(amendment.next, read_taken_amendment(before, text));
  TRY(amendment.assessment, assess(before.charter, amendment.next.charter, left));
  return amendment;
}

Result<Amendment> read_amendment_afterwards(const SignedCharter& before, std::string_view text, const Left& left) {
  Amendment amendment;
  TRY(amendment.next, read_taken_amendment(before, text));
  const Left gone = left_before(amendment.next, before.charter, left);
  TRY(amendment.assessment, assess(before.charter, amendment.next.charter, gone));
  return amendment;
}

Status check_room(const Amendment& amendment) {
  const std::int64_t number = amendment.next.charter.seq;
  const Needs& needs = amendment.assessment.needs;
  if (needs.of_all() || number <= kVersionsOfAnyQuorum) return {};
  return fail(
      Errc::limit,
      fmt::format("This would be version {}. A charter has at most {}, and from version {} on they are kept for "
                  "what all members sign, or all but one who is expelled; this needs {}.",
                  number, kMostVersions, kVersionsOfAnyQuorum + 1, needs.why));
}

}  // namespace parley::group
