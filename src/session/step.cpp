// Writing and checking the steps of a session.
#include "session/step.h"

#include <algorithm>
#include <functional>

#include "base/encoding.h"
#include "base/text.h"
#include "log/entry.h"
#include "session/padding.h"

namespace parley::session {
namespace {

constexpr std::size_t kMaxTextBytes = 2000;  // log.md 2.4
constexpr std::size_t kMaxNameBytes = 64;
/// Time and log are read one after the other, each in whole seconds.
constexpr std::int64_t kSecondsBetweenReadings = 2;
constexpr std::size_t kMaxSuites = 16;

template <std::size_t N>
ByteArray<N> fixed(const Bytes& bytes) {
  ByteArray<N> array{};
  if (bytes.size() == N) std::ranges::copy(bytes, array.begin());
  return array;
}

log::Json number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

std::uint64_t read_padded(log::ObjectReader& reader, std::string_view key) {
  const auto size = static_cast<std::uint64_t>(reader.integer(key, kSmallestPadded, kLargestPadded));
  if (!is_padded_size(size)) reader.refuse("its set size is not one that padding gives");
  return size;
}

log::Json with_epoch(log::Json::Object object, const std::optional<Digest>& admission) {
  object.emplace("v", admission ? kSettlementVersionWithEpoch : kSettlementVersion);
  if (admission) object.emplace("admission", to_hex(*admission));
  return object;
}

std::optional<Digest> read_epoch(log::ObjectReader& reader) {
  if (reader.integer("v", kSettlementVersion, kSettlementVersionWithEpoch) != kSettlementVersionWithEpoch) return {};
  return reader.digest("admission");
}

}  // namespace

log::Json Proposal::to_json() const {
  log::Json::Array offered;
  for (const std::uint16_t suite : suites) offered.push_back(number(suite));
  return with_epoch({{"most_tests", number(most_tests)},
                     {"nonce", to_base64(nonce)},
                     {"padded", number(padded)},
                     {"question", session::to_json(question)},
                     {"rules", to_base64(rules)},
                     {"suites", std::move(offered)}},
                    admission);
}

Result<Proposal> Proposal::from_json(const log::Json& body) {
  log::ObjectReader reader(body, "the proposal");
  Proposal proposal;
  proposal.most_tests = static_cast<std::uint64_t>(reader.integer("most_tests", kSmallestPadded, kMostTests));
  proposal.nonce = fixed<32>(reader.bytes("nonce", 32));
  proposal.padded = read_padded(reader, "padded");
  const log::Json& question = reader.object("question");
  proposal.rules = fixed<16>(reader.bytes("rules", 16));
  for (const log::Json& suite : reader.array("suites", kMaxSuites)) {
    const std::int64_t* number = suite.integer();
    if (number == nullptr || *number < 0 || *number > 0xffff) {
      reader.refuse("one of its suites is no number of a suite");
      break;
    }
    proposal.suites.push_back(static_cast<std::uint16_t>(*number));
  }
  if (!std::ranges::is_sorted(proposal.suites, std::less_equal<>())) reader.refuse("its suites are not in order");
  proposal.admission = read_epoch(reader);
  TRY_STATUS(reader.finish());
  TRY(proposal.question, question_from_json(question));
  return proposal;
}

log::Json Acceptance::to_json() const {
  return with_epoch({{"nonce", to_base64(nonce)}, {"padded", number(padded)}, {"suite", number(suite)}}, admission);
}

Result<Acceptance> Acceptance::from_json(const log::Json& body) {
  log::ObjectReader reader(body, "the acceptance");
  Acceptance acceptance;
  acceptance.nonce = fixed<32>(reader.bytes("nonce", 32));
  acceptance.padded = read_padded(reader, "padded");
  acceptance.suite = static_cast<std::uint16_t>(reader.integer("suite", 0, 0xffff));
  acceptance.admission = read_epoch(reader);
  TRY_STATUS(reader.finish());
  return acceptance;
}

log::Json Refusal::to_json() const {
  return log::Json::Object{{"code", code}, {"text", text}, {"v", kSessionVersion}};
}

Result<Refusal> Refusal::from_json(const log::Json& body) {
  log::ObjectReader reader(body, "the refusal");
  Refusal refusal;
  refusal.code = reader.text("code", kMaxNameBytes);
  refusal.text = reader.text("text", kMaxTextBytes);
  reader.integer("v", kSessionVersion, kSessionVersion);
  TRY_STATUS(reader.finish());
  return refusal;
}

log::Json Commitment::to_json() const {
  return log::Json::Object{{"ctx_root", to_hex(context_root)},
                           {"items_root", to_hex(items_root)},
                           {"result_key_commit", to_hex(result_key_commitment)},
                           {"seed_commit", to_hex(seed_commitment)},
                           {"v", kSessionVersion}};
}

Result<Commitment> Commitment::from_json(const log::Json& body) {
  log::ObjectReader reader(body, "the commitment");
  Commitment commitment;
  commitment.context_root = reader.digest("ctx_root");
  commitment.items_root = reader.digest("items_root");
  commitment.result_key_commitment = reader.digest("result_key_commit");
  commitment.seed_commitment = reader.digest("seed_commit");
  reader.integer("v", kSessionVersion, kSessionVersion);
  TRY_STATUS(reader.finish());
  return commitment;
}

log::Json ResultStep::to_json() const {
  return log::Json::Object{{"count", count},
                           {"learned", learned},
                           {"result_root", to_hex(result_root)},
                           {"transcript", to_hex(transcript)},
                           {"v", kSessionVersion}};
}

Result<ResultStep> ResultStep::from_json(const log::Json& body) {
  log::ObjectReader reader(body, "the result");
  ResultStep result;
  result.count = reader.integer("count", -1, kLargestPadded);
  result.learned = reader.boolean("learned");
  result.result_root = reader.digest("result_root");
  result.transcript = reader.digest("transcript");
  reader.integer("v", kSessionVersion, kSessionVersion);
  TRY_STATUS(reader.finish());
  return result;
}

log::Json Abort::to_json() const {
  return log::Json::Object{
      {"code", code}, {"may_have_disclosed", may_have_disclosed}, {"phase", phase}, {"v", kSessionVersion}};
}

Result<Abort> Abort::from_json(const log::Json& body) {
  log::ObjectReader reader(body, "the abort");
  Abort abort;
  abort.code = reader.text("code", kMaxNameBytes);
  abort.may_have_disclosed = reader.boolean("may_have_disclosed");
  abort.phase = reader.text("phase", kMaxNameBytes);
  reader.integer("v", kSessionVersion, kSessionVersion);
  TRY_STATUS(reader.finish());
  return abort;
}

log::Json RevealOffer::to_json() const {
  log::Json::Array paths;
  for (const std::string& field : fields) paths.emplace_back(field);
  return log::Json::Object{{"commit", to_hex(openings_commitment)},
                           {"fields", std::move(paths)},
                           {"first", first},
                           {"openings", number(openings)},
                           {"ratio", number(ratio)},
                           {"unreturned", number(unreturned)},
                           {"v", kSessionVersion},
                           {"values", number(values)}};
}

Result<RevealOffer> RevealOffer::from_json(const log::Json& body) {
  log::ObjectReader reader(body, "the reveal offer");
  RevealOffer offer;
  offer.openings_commitment = reader.digest("commit");
  offer.fields = reader.texts("fields", kFieldPaths.size(), kMaxNameBytes);
  offer.first = reader.text("first", kMaxNameBytes);
  offer.openings = static_cast<std::uint64_t>(reader.integer("openings", 0, kLargestPadded));
  offer.ratio = static_cast<std::uint64_t>(reader.integer("ratio", 1, static_cast<std::int64_t>(kMostRatio)));
  offer.unreturned =
      static_cast<std::uint64_t>(reader.integer("unreturned", 0, static_cast<std::int64_t>(kMostRevealFields)));
  reader.integer("v", kSessionVersion, kSessionVersion);
  offer.values = static_cast<std::uint64_t>(reader.integer("values", 0, static_cast<std::int64_t>(kMostRevealFields)));
  for (std::size_t i = 0; i < offer.fields.size(); ++i)
    if (!field_index(offer.fields[i]) || (i > 0 && offer.fields[i - 1] >= offer.fields[i]))
      reader.refuse("its fields are not known ones in order");
  TRY_STATUS(reader.finish());
  return offer;
}

std::string session_of(const mirror::EntryView& step) {
  return step.entry.type == kPropose ? log::session_of_proposal(step.leaf_hash) : step.entry.session;
}

vault::SessionStep stored_step(const mirror::EntryView& step) {
  return {step.entry.author, step.entry.type, to_hex(step.leaf_hash)};
}

vault::SessionStep stored_step(std::string_view author, const ReceivedStep& step) {
  return {std::string(author), step.type, to_hex(step.leaf_hash)};
}

Result<Digest> leaf_hash_of(const vault::SessionStep& step) {
  Digest leaf_hash{};
  if (!read_hex(step.entry, leaf_hash))
    return fail(Errc::not_found, "A step of this session is from before there was a joint log.");
  return leaf_hash;
}

Result<mirror::EntryView> find_step(group::JointLog& log, const vault::SessionStep& step) {
  TRY(const Digest leaf_hash, leaf_hash_of(step));
  return log.with([&](mirror::Replica& replica) { return replica.entry(step.author, leaf_hash); });
}

Result<mirror::EntryView> StepLink::write(std::string_view type, log::Json body, std::vector<Digest> refs,
                                          const std::function<Status(const mirror::EntryView&)>& work) {
  return link_.log().append({.type = std::string(type),
                             .session = session_,
                             .refs = std::move(refs),
                             .audience = {peer().nick},
                             .body = std::move(body)},
                            work);
}

Status ReceivedStep::check_answers(const Digest& step, const std::string& peer) const {
  if (refs == std::vector{step}) return {};
  return fail(Errc::protocol, fmt::format("The step \"{}\" does not answer ours.", visible(type)), peer);
}

Status check_time(std::string_view type, UnixSeconds stated, const WrittenBetween& written, const std::string& peer) {
  const bool behind = stated < written.earliest - written.skew_seconds;
  const bool ahead = stated > written.now + written.skew_seconds;
  if (!behind && !ahead) return {};
  return fail(
      Errc::skew,
      fmt::format("{} states {} as the time of its step \"{}\". By the clock here it is {}, and the step was written "
                  "after {}; the charter lets clocks be {} s apart. Look at the clock of {}, which is {} ours, and at "
                  "ours (date -u).{} Nothing was compared.",
                  peer, to_rfc3339(stated), visible(type), to_rfc3339(written.now), to_rfc3339(written.earliest),
                  written.skew_seconds, peer, ahead ? "ahead of" : "behind",
                  ahead ? " A log never goes back: one whose clock was ahead goes on when that time has come." : ""));
}

Status check_clock(UnixSeconds of_log, UnixSeconds clock, std::int64_t skew_seconds) {
  skew_seconds = std::max(skew_seconds, kSecondsBetweenReadings);
  if (of_log > clock + skew_seconds)
    return fail(
        Errc::skew,
        fmt::format("By the clock here it is {}, but our own log has come to {}; the charter lets clocks be {} s "
                    "apart. Compare the clock with one that you trust (date -u) and set it. If it is right, it "
                    "was ahead when the log was written last: a log never goes back, and sessions go on when "
                    "that time has come. Nothing was compared.",
                    to_rfc3339(clock), to_rfc3339(of_log), skew_seconds));
  if (of_log < clock - skew_seconds)
    return fail(Errc::skew,
                fmt::format("By the clock here it is {}, but none of the other members' clocks that were heard lately "
                            "lets our log state more than {}; the charter lets clocks be {} s apart. Compare the clock "
                            "with one that you trust (date -u) and set it. If it is right, theirs are not: sessions go "
                            "on when a member whose clock is right has been called on. Nothing was compared.",
                            to_rfc3339(clock), to_rfc3339(of_log), skew_seconds));
  return {};
}

Result<ReceivedStep> StepLink::receive_any(Deadline deadline) {
  TRY(mirror::EntryView step, link_.receive_step(deadline));
  // And for nobody else: the ledger counts what is between two members only.
  if (step.entry.audience != std::vector{our_nick()})
    return fail(Errc::protocol, "A step arrived that is not for this member alone.", peer().name);
  return ReceivedStep{session_of(step),   step.entry.type, *std::move(step.body), step.leaf_hash,
                      step.entry.charter, step.entry.refs, step.entry.seq,        step.entry.time};
}

Result<ReceivedStep> StepLink::receive(std::string_view type, Deadline deadline) {
  TRY(ReceivedStep step, receive_any(deadline));
  if (step.session != session_)
    return fail(Errc::protocol, "A step of another session arrived in this one.", peer().name);
  if (step.type == type) return step;
  if (step.type == kRefuse) {
    TRY(const Refusal refusal, Refusal::from_json(step.body));
    if (refusal.code == kRefusedForSkew)
      return fail(
          Errc::skew,
          peer().name +
              " brings indicators to their canonical form by other rules than this node, so matches would be lost. "
              "Both sides must run the same version of parley.");
    if (refusal.code == kRefusedForEpoch)
      return fail(Errc::skew, peer().name +
                                  " is in another epoch of admission than this node, so no tag of the one could match "
                                  "a tag of the other. Bring both up to date, then ask again: parley admit.");
    if (refusal.code == kRefusedForClock)
      return fail(Errc::skew, peer().name +
                                  " finds the time that our proposal states too far from its own clock. Compare both "
                                  "clocks with one that you trust (date -u), then ask again.");
    if (refusal.code == kRefusedForCharter)
      return fail(Errc::skew, peer().name +
                                  " has another version of the group's charter in force than this node. "
                                  "Exchange amendments first: parley group show, parley group take.");
    std::string text = peer().name + (refusal.code == kRefusedBusy ? " is busy; try again later." : " declined.");
    if (!refusal.text.empty()) text += " Its operator says: \"" + visible(refusal.text) + "\"";
    return fail(Errc::refused, std::move(text));
  }
  if (step.type == kAbort) {
    TRY(const Abort abort, Abort::from_json(step.body));
    return fail(Errc::refused, peer().name + " stopped the session (" + visible(abort.code) + ", while " +
                                   visible(abort.phase) + ").");
  }
  return fail(Errc::protocol,
              "The step \"" + visible(step.type) + "\" arrived where \"" + std::string(type) + "\" was due.",
              peer().name);
}

}  // namespace parley::session
