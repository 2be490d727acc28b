// In this order: what both signed, the seed, the set, the messages as a whole, the second run message by message, the
// result. The first that does not fit is named, and nothing after it is looked at: what follows from another seed says
// nothing by itself.
#include "audit/reexecution.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/logged_session.h"
#include "base/encoding.h"
#include "psi/intersect/choice.h"
#include "session/padding.h"
#include "session/result_root.h"
#include "session/states.h"

namespace parley::audit {
namespace {

using session::Side;

constexpr std::size_t kElementHeadBytes = 1 + sizeof(std::uint16_t);

// What stands in the way of passing: a sentence. Nothing where all is well.
using Difference = std::optional<std::string>;

std::optional<indicator::Type> type_of(ByteView element) {
  for (const indicator::Type type : indicator::kAllTypes)
    if (element[0] == static_cast<std::byte>(type)) return type;
  return std::nullopt;
}

class Audit {
 public:
  Audit(const Audited& audited, const LoggedSession& logged, const std::optional<Admitted>& admitted, ThreadPool& pool,
        Progress& progress)
      : record_(audited.record), logged_(logged), admitted_(admitted), pool_(pool), progress_(progress) {
    report_.session = audited.opened.session;
    report_.group = audited.opened.group;
    report_.audited = logged.audited_nick();
    report_.peer = logged.peer_nick();
    report_.checked = logged.held;
  }

  Result<Report> run() {
    report_.difference = check_seed();
    if (!report_.difference) report_.difference = check_set();
    if (!report_.difference) report_.difference = check_tags();
    if (!report_.difference) report_.difference = check_messages();
    if (!report_.difference) {
      TRY(report_.difference, run_again());
    }
    say_what_it_proves();
    return std::move(report_);
  }

 private:
  std::size_t us() const { return static_cast<std::size_t>(logged_.audited); }
  const session::Commitment& commitment() const { return logged_.commitments[us()]; }
  const session::ResultStep& result() const { return *logged_.results[us()]; }
  const std::optional<session::ResultStep>& peer_result() const { return logged_.results[1 - us()]; }
  std::uint64_t padded(std::size_t side) const {
    return side == 0 ? logged_.proposal.padded : logged_.acceptance.padded;
  }
  psi::Role role() const { return session::role_of(logged_.audited, logged_.proposal.question.direction); }
  void fits(std::string what) { report_.checked.push_back(std::move(what)); }

  Difference check_seed() {
    if (record_.side != logged_.audited) return "The record is of the other side's run.";
    if (session::seed_commitment(record_.seed) != commitment().seed_commitment)
      return "The seed is not the one that it had committed to before the session ran.";
    fits("The seed is the one that it had committed to before the session ran.");
    return {};
  }

  Difference check_set() {
    const psi::Elements& elements = record_.set.elements;
    if (elements.size() != padded(us()))
      return fmt::format("It opens {} elements, and had said that it enters {}.", elements.size(), padded(us()));
    std::size_t real = 0;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (session::is_padding(elements[i], logged_.audited)) continue;
      const auto type = elements[i].size() > kElementHeadBytes ? type_of(elements[i]) : std::nullopt;
      if (!type) return fmt::format("Element {} of its set is neither an indicator nor padding of its side.", i);
      if (std::ranges::find(logged_.proposal.question.types, *type) == logged_.proposal.question.types.end())
        return fmt::format("Element {} of its set is of the type {}, which the question does not cover.", i,
                           indicator::name_of(*type));
      ++real;
    }
    const Digest label = session::input_label(report_.session, logged_.audited);
    if (session::items_root_of(elements, label, record_.salts, pool_) != commitment().items_root)
      return "The set that it opens is not the one that it had committed to before the session ran (items_root).";
    fits(
        fmt::format("The set that it opens, {} indicators and {} elements of padding, is the one that it had committed "
                    "to before the session ran.",
                    real, elements.size() - real));
    return {};
  }

  /// The record says of which types it shows tags, and a tag is 32 bytes that nobody can make again: of a type that
  /// enters as it is, they could be a guess. So the charter says it.
  Difference check_tagged_types() {
    const std::vector<indicator::Type>& shown = record_.set.by_tags;
    if (!logged_.tagged) {
      report_.tags_by_charter = shown.empty();
      return {};
    }
    if (shown != *logged_.tagged)
      return fmt::format("By the charter of the session these types enter by tags: {}. The record shows tags of: {}.",
                         in_words(*logged_.tagged), in_words(shown));
    if (!shown.empty())
      fits("The types of which it shows tags are those that enter by tags by the charter that both sides name.");
    return {};
  }
  static std::string in_words(std::span<const indicator::Type> types) {
    std::string words;
    for (const indicator::Type type : types)
      words += fmt::format("{}{}", words.empty() ? "" : ", ", indicator::name_of(type));
    return words.empty() ? "none" : words;
  }

  /// What can be said of the tags: nothing ties one to the indicator beside it but the keys of all members.
  Difference check_tags() {
    if (Difference types = check_tagged_types()) return types;
    const RecordedTags tags = count_tags();
    const std::optional<Digest>& epoch = logged_.proposal.admission;
    if (epoch.has_value() != !record_.set.by_tags.empty())
      return epoch ? "The session compared tags of some types, and the record says that none entered by its tag."
                   : "The record says that indicators entered by their tags, and the session was in no epoch of "
                     "admission.";
    if (!epoch) return {};
    fits(fmt::format("{} entered by tags, of the epoch {}.", in_words(tags), short_name(*epoch)));
    if (!admitted_) return {};
    if (admitted_->epoch != *epoch)
      return fmt::format("The session was in the epoch {}, of which the logs here say nothing.", short_name(*epoch));
    for (const auto& [type, count] : tags) {
      const auto counted = admitted_->most.find(type);
      const std::int64_t most = counted == admitted_->most.end() ? 0 : counted->second;
      if (count <= most) continue;
      uncounted_ = fmt::format(
          "{} {} entered by tags, and no more than {} were admitted for it in this epoch, by the log of a member that "
          "must have helped with each{}.",
          count, indicator::name_of(type), most, admitted_->by_own_log ? "" : ", as far as it is here");
      if (admitted_->by_own_log) return uncounted_;
      report_.tags_by_counts = false;
      return {};
    }
    fits("No more entered by tags than the logs of all other members count as admitted for it in this epoch.");
    return {};
  }

  using RecordedTags = std::map<indicator::Type, std::int64_t>;
  RecordedTags count_tags() const {
    RecordedTags counts;
    for (const indicator::Type type : record_.set.by_tags) counts[type] = 0;
    for (std::size_t i = 0; i < record_.set.elements.size(); ++i)
      if (const ByteView element = record_.set.elements[i]; record_.set.is_by_tag(element)) ++counts[*type_of(element)];
    return counts;
  }
  static std::string in_words(const RecordedTags& tags) {
    std::string words;
    for (const auto& [type, count] : tags)
      words += fmt::format("{}{} {}", words.empty() ? "" : ", ", count, indicator::name_of(type));
    return words;
  }
  static std::string short_name(const Digest& epoch) { return to_hex(ByteView(epoch).first(8)); }

  // The transcript is a hash over the hashes of all messages, so a list that leads to it is the list that the other
  // side signed for, and each message can be named.
  Difference check_messages() {
    const Digest listed = psi::transcript_of(session::run_id(logged_.naming), role(), record_.messages);
    if (listed != result().transcript)
      return fmt::format(
          "The {} messages in the file are not those of the session: they give the transcript {}, and it "
          "signed {}.",
          record_.messages.size(), to_hex(ByteView(listed).first(8)), to_hex(ByteView(result().transcript).first(8)));
    fits(fmt::format(
        "The {} messages in the file give the transcript that {} signed{}.", record_.messages.size(), report_.audited,
        peer_result() && peer_result()->transcript == listed ? " and " + report_.peer + " signed as well" : ""));
    return {};
  }

  Result<Difference> run_again() {
    TRY(const auto protocol, psi::protocol_of_suite(logged_.acceptance.suite));
    const psi::Parameters parameters{.role = role(),
                                     .reply = session::reply_of(logged_.proposal.question),
                                     .session_id = session::run_id(logged_.naming),
                                     .peer_count = padded(1 - us())};
    psi::ReplayChannel channel(record_.messages);
    std::optional<psi::Elements> by_tags;
    if (!record_.set.by_tags.empty()) by_tags = record_.set.entered();
    const psi::Elements& entered = by_tags ? *by_tags : record_.set.elements;
    const auto outcome = protocol->run(parameters, entered, record_.seed, channel, pool_, progress_);
    if (progress_.cancelled()) return fail(Errc::cancelled, "The audit was stopped.");
    if (channel.difference()) return Difference(*channel.difference());
    if (!outcome) return Difference("Its program ends with an error where it went on: " + outcome.error().text());
    if (channel.left() > 0)
      return Difference(
          fmt::format("The record has {} more messages than its program sends and receives.", channel.left()));
    fits(
        fmt::format("Run again by the protocol {}, its program sends the same {} bytes, message by message, and ends "
                    "with the same transcript.",
                    protocol->name(), channel.bytes_sent()));
    return check_result(*outcome);
  }

  // What it signed of the result, as far as the second run shows it.
  Difference check_result(const psi::Outcome& outcome) {
    const session::Question& question = logged_.proposal.question;
    const bool learns = logged_.audited == Side::asker ? question.asker_learns() : question.responder_learns();
    const bool both = question.direction == session::Direction::both;
    const auto count = both ? static_cast<std::int64_t>(outcome.count) : -1;
    if (result().learned != learns || result().count != count)
      return fmt::format("It signed that it learned {} common elements, and its program finds {}.", result().count,
                         count);
    if (!both || question.function != session::Function::intersection) {
      fits("The result that it signed is the one that its program finds.");
      return {};
    }
    if (!record_.shares) {
      if (result().result_root != session::empty_result_root())
        return "It signed a root over matches, and the shares of the key that it is made with are not in the file.";
      if (peer_result() && peer_result()->result_root != result().result_root)
        fits(fmt::format("What {} signed of the matches differs from that.", report_.peer));
      fits(
          "The count that it signed is the one that its program finds. The root over the matches was not checked: the "
          "other side had not opened its share of the key.");
      return {};
    }
    return check_result_root(outcome);
  }

  Difference check_result_root(const psi::Outcome& outcome) {
    const Secret<32>& ours = record_.shares->ours;
    const Secret<32>& theirs = record_.shares->theirs;
    if (session::result_key_commitment(ours.expose()) != commitment().result_key_commitment ||
        session::result_key_commitment(theirs.expose()) != logged_.commitments[1 - us()].result_key_commitment)
      return "The shares of the result key are not those that were committed to.";
    std::vector<indicator::Canonical> matches;
    for (const psi::Match& match : outcome.matches) {
      const ByteView element = record_.set.elements[match.position];
      const auto type = type_of(element);
      if (!type) return fmt::format("Element {} is padding, and matched.", match.position);
      matches.push_back(
          indicator::Canonical::from_storage(*type, std::string(as_text(element.subspan(kElementHeadBytes)))));
    }
    const Secret<32> key = session::result_key(report_.session, logged_.proposal.nonce, logged_.acceptance.nonce,
                                               us() == 0 ? ours : theirs, us() == 0 ? theirs : ours);
    const Digest root = session::result_tree(key, matches).root();
    if (root != result().result_root)
      return "The root over the matches that it signed is not that of the matches that its program finds.";
    fits("Count and matches that it signed are those that its program finds.");
    if (peer_result() && peer_result()->result_root != root)
      fits(fmt::format("What {} signed of the matches differs from them.", report_.peer));
    return {};
  }

  void say_what_it_proves() {
    if (report_.difference) {
      report_.proves.push_back(
          fmt::format("{} did not run the agreed program on the set and the seed that it had "
                      "committed to, or does not show now what it ran.",
                      report_.audited));
      report_.proves_not.push_back("Why: damage, an error of a program, or intent.");
      return;
    }
    const bool by_tags = !record_.set.by_tags.empty();
    const std::string_view of_tags =
        by_tags ? " Indicators of the types that enter by tags entered by those that it shows." : "";
    report_.vouched = peer_result() && peer_result()->transcript == result().transcript;
    if (report_.shown())
      report_.proves.push_back(fmt::format(
          "{} ran the agreed protocol honestly, on exactly the set that it had committed to before: nothing "
          "else was entered, nothing that it found was kept back.{}",
          report_.audited, of_tags));
    else
      report_.proves.push_back(fmt::format(
          "A run of the agreed program on the set that {} had committed to gives the messages and the result "
          "that it signed{}{}.{}",
          report_.audited, report_.vouched ? "" : ", if it received what it says",
          report_.tags_by_charter ? "" : ", if the types of which it shows tags enter by tags", of_tags));
    if (!report_.vouched)
      report_.proves_not.push_back(fmt::format(
          "That these are the messages that {} sent: {}. Nobody but {} vouches for what it received.", report_.peer,
          peer_result() ? "it signed another transcript" : logged_.no_peer_result, report_.audited));
    if (!report_.tags_by_charter)
      report_.proves_not.push_back(fmt::format(
          "That {0} enter by tags: if one of them does not, guesses were entered as its tags. The charter says it, and "
          "is neither in the file nor what was given as --members: give the version that the session was held under "
          "(hash {1}; parley group show NAME --note --version N), or have the file made by a newer parley.",
          in_words(record_.set.by_tags), to_hex(logged_.charter)));
    if (!report_.tags_by_counts)
      report_.proves_not.push_back(fmt::format(
          "That all who must have helped had helped with so many: {} The logs here may be behind, and none of "
          "them is of this member. Bring them in step (parley admit), and compare again; where it stays so, "
          "a member that helped in this epoch can tell.",
          *uncounted_));
    if (by_tags)
      report_.proves_not.push_back(fmt::format(
          "That a tag is that of the indicator beside it: it takes the keys of all members to make one, so that nobody "
          "can make it again. {}",
          admitted_ ? "Only their number was compared with the logs."
                    : "Their number can be compared with what the members' logs count as admitted: a member does so by "
                      "--compare-admissions."));
    report_.proves_not.push_back("That the indicators are genuine: a guess that was committed to is a guess.");
    report_.proves_not.push_back(
        fmt::format("Anything of the other side's run, of other sessions, or of what {} did with "
                    "the result afterwards.",
                    report_.audited));
    report_.proves_not.push_back("The context of the indicators: it takes no part in the run and is not opened here.");
  }

  const session::AuditRecord& record_;
  const LoggedSession& logged_;
  const std::optional<Admitted>& admitted_;
  ThreadPool& pool_;
  Progress& progress_;
  Report report_;
  Difference uncounted_;  ///< by the logs that the auditor has
};

}  // namespace

std::vector<indicator::Canonical> committed_set(const Audited& audited) {
  std::vector<indicator::Canonical> set;
  const psi::Elements& elements = audited.record.set.elements;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const ByteView element = elements[i];
    if (session::is_padding(element, audited.record.side)) continue;
    set.push_back(indicator::Canonical::from_storage(*type_of(element),
                                                     std::string(as_text(element.subspan(kElementHeadBytes)))));
  }
  return set;
}

Result<Report> audit(const Audited& audited, std::span<const log::MemberKeys> members, const AuditorHolds& holds,
                     ThreadPool& pool, Progress& progress) {
  TRY_STATUS(log::admit_members(members));
  TRY(LoggedSession logged, read_logged_session(audited.opened, members));
  if (!logged.tagged && !holds.charter.empty()) {
    TRY(logged.tagged, tagged_by(holds.charter, logged));
  }
  return Audit(audited, logged, holds.admitted, pool, progress).run();
}

}  // namespace parley::audit
