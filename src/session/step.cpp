// Writing, signing and checking the steps of a session.
#include "session/step.h"

#include <algorithm>
#include <functional>

#include "base/encoding.h"
#include "base/text.h"
#include "log/entry.h"
#include "log/merkle.h"
#include "log/note.h"
#include "session/padding.h"

namespace parley::session {
namespace {

constexpr std::string_view kStepKind = "parley/step/v1";
constexpr std::size_t kMaxStepBytes = 16 * 1024;  // log.md 2.3: the longest leaf
constexpr std::size_t kMaxTextBytes = 2000;       // log.md 2.4
constexpr std::size_t kMaxNameBytes = 64;
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

}  // namespace

log::Json Proposal::to_json() const {
  log::Json::Array offered;
  for (const std::uint16_t suite : suites) offered.push_back(number(suite));
  return log::Json::Object{{"most_tests", number(most_tests)}, {"nonce", to_base64(nonce)},
                           {"padded", number(padded)},         {"question", session::to_json(question)},
                           {"rules", to_base64(rules)},        {"suites", std::move(offered)},
                           {"v", kSettlementVersion}};
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
  reader.integer("v", kSettlementVersion, kSettlementVersion);
  TRY_STATUS(reader.finish());
  TRY(proposal.question, question_from_json(question));
  return proposal;
}

log::Json Acceptance::to_json() const {
  return log::Json::Object{
      {"nonce", to_base64(nonce)}, {"padded", number(padded)}, {"suite", number(suite)}, {"v", kSettlementVersion}};
}

Result<Acceptance> Acceptance::from_json(const log::Json& body) {
  log::ObjectReader reader(body, "the acceptance");
  Acceptance acceptance;
  acceptance.nonce = fixed<32>(reader.bytes("nonce", 32));
  acceptance.padded = read_padded(reader, "padded");
  acceptance.suite = static_cast<std::uint16_t>(reader.integer("suite", 0, 0xffff));
  reader.integer("v", kSettlementVersion, kSettlementVersion);
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
                           {"openings", number(openings)},
                           {"v", kSessionVersion}};
}

Result<RevealOffer> RevealOffer::from_json(const log::Json& body) {
  log::ObjectReader reader(body, "the reveal offer");
  RevealOffer offer;
  offer.openings_commitment = reader.digest("commit");
  offer.fields = reader.texts("fields", kFieldPaths.size(), kMaxNameBytes);
  offer.openings = static_cast<std::uint64_t>(reader.integer("openings", 0, kLargestPadded));
  reader.integer("v", kSessionVersion, kSessionVersion);
  for (std::size_t i = 0; i < offer.fields.size(); ++i)
    if (!field_index(offer.fields[i]) || (i > 0 && offer.fields[i - 1] >= offer.fields[i]))
      reader.refuse("its fields are not known ones in order");
  TRY_STATUS(reader.finish());
  return offer;
}

std::string session_id(std::string_view propose_note) {
  return log::session_of_proposal(log::leaf_hash(as_bytes(propose_note)));
}

std::string make_step(const group::Member& us, std::string_view to_nick, std::string_view session,
                      std::string_view type, log::Json body) {
  const log::Json step = log::Json::Object{{"author", us.card.nick},   {"body", std::move(body)}, {"session", session},
                                           {"time", wall_clock_now()}, {"to", to_nick},           {"type", type},
                                           {"v", kSessionVersion}};
  return log::sign_object(kStepKind, step, us.identity().node_key_name, us.node_seed);
}

Result<ReceivedStep> check_step(std::string_view note, const wire::PinnedPeer& from, std::string_view our_nick) {
  TRY(const log::VerifierKey key, log::parse_vkey(from.node_vkey));
  TRY(const log::Json step, log::read_object(note, kStepKind, key, kMaxStepBytes));
  log::ObjectReader reader(step, "the step");
  const std::string author = reader.text("author", kMaxNameBytes);
  log::Json body = reader.object("body");
  std::string session = reader.text("session", kMaxNameBytes);
  reader.integer("time", 0, log::kMaxInteger);
  const std::string to = reader.text("to", kMaxNameBytes);
  std::string type = reader.text("type", kMaxNameBytes);
  reader.integer("v", kSessionVersion, kSessionVersion);
  TRY_STATUS(reader.finish());
  if (author != from.nick || to != our_nick)
    return fail(Errc::protocol, "A step from " + visible(author) + " to " + visible(to) +
                                    " arrived on the link between " + from.nick + " and " + std::string(our_nick) +
                                    ".");
  return ReceivedStep{std::move(session), std::move(type), std::move(body), std::string(note)};
}

std::string StepLink::make(std::string_view type, log::Json body) const {
  return make_step(us_, link_.peer().nick, session_, type, std::move(body));
}

Status StepLink::send(std::string_view note) {
  return link_.send(wire::FrameType::step, as_bytes(note));
}

Result<ReceivedStep> StepLink::receive_step(Deadline deadline) {
  TRY(const wire::Frame frame, link_.receive(deadline));
  if (frame.type == wire::FrameType::bye)
    return fail(Errc::peer_gone, "The other side ended the connection.", link_.peer().name);
  if (frame.type != wire::FrameType::step)
    return fail(Errc::protocol, "A frame arrived that is no step of a session.", link_.peer().name);
  return check_step(as_text(frame.payload), link_.peer(), us_.card.nick);
}

Result<ReceivedStep> StepLink::receive_first(Deadline deadline) {
  return receive_step(deadline);
}

Result<ReceivedStep> StepLink::receive(std::string_view type, Deadline deadline) {
  TRY(ReceivedStep step, receive_step(deadline));
  if (step.session != session_)
    return fail(Errc::protocol, "A step of another session arrived in this one.", link_.peer().name);
  if (step.type == type) return step;
  if (step.type == kRefuse) {
    TRY(const Refusal refusal, Refusal::from_json(step.body));
    if (refusal.code == kRefusedForSkew)
      return fail(
          Errc::skew,
          link_.peer().name +
              " brings indicators to their canonical form by other rules than this node, so matches would be lost. "
              "Both sides must run the same version of parley.");
    std::string text = link_.peer().name + (refusal.code == kRefusedBusy ? " is busy; try again later." : " declined.");
    if (!refusal.text.empty()) text += " Its operator says: \"" + visible(refusal.text) + "\"";
    return fail(Errc::refused, std::move(text));
  }
  if (step.type == kAbort) {
    TRY(const Abort abort, Abort::from_json(step.body));
    return fail(Errc::refused, link_.peer().name + " stopped the session (" + visible(abort.code) + ", while " +
                                   visible(abort.phase) + ").");
  }
  return fail(Errc::protocol,
              "The step \"" + visible(step.type) + "\" arrived where \"" + std::string(type) + "\" was due.",
              link_.peer().name);
}

}  // namespace parley::session
