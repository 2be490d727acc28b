// Consent, offers, and openings in turn.
#include "session/reveal.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "base/random.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "session/canary_hits.h"
#include "session/opening.h"
#include "session/secrets.h"
#include "session/states.h"

namespace parley::session {
namespace {

/// Openings go out in at most this many turns, so that who stops is ahead by one turn at most.
constexpr std::uint64_t kTurns = 64;
constexpr auto kStepWait = std::chrono::minutes(10);
constexpr auto kClosingWait = std::chrono::seconds(10);
constexpr std::size_t kMaxSettingBytes = 16 * 1024;
constexpr std::string_view kOfferDomain{"parley/reveal/v1\0", 17};
constexpr std::string_view kNoConsentYet = "no-consent-yet";
constexpr std::string_view kNothingInReturn = "nothing-in-return";
constexpr std::string_view kNotRevealable = "not-revealable";

std::string consent_name(const std::string& session) {
  return "reveal/" + session + "/consent";
}
std::string waiting_name(const std::string& session) {
  return "reveal/" + session + "/offered";
}

bool is_mark(std::string_view path) {
  return std::ranges::find(kMarkPaths, path) != kMarkPaths.end();
}

// The context that a stored match was committed with, field by field.
Result<ContextFields> committed_fields(const vault::SessionMatch& match) {
  TRY(const log::Json stored,
      log::parse_pjson(match.mine, indicator::kMaxValueBytes + kFieldPaths.size() * kMaxFieldBytes));
  ContextFields fields = empty_fields();
  for (const auto& [path, value] : *stored.object())
    if (const auto field = field_index(path)) fields[*field] = value;
  return fields;
}

indicator::Tlp mark_of(const ContextFields& fields) {
  // A record without a mark is one that only TLP:RED sources could have filled.
  const std::string* name = fields[*field_index("tlp")].text();
  return indicator::tlp_named(*name).value_or(indicator::Tlp::red);
}

struct Revealable {
  vault::SessionRow row;
  std::vector<vault::SessionMatch> matches;
};

Result<Revealable> revealable(vault::Vault& vault, const std::string& session) {
  Revealable found;
  TRY(found.row, vault.session(session));
  TRY(const Terms terms, read_terms(found.row.terms));
  TRY(const Outcome outcome, read_outcome(found.row.outcome));
  if (!is_at_rest(found.row.state))
    return fail(Errc::usage, "This session is still under way; there is nothing to reveal yet.");
  if (terms.question.function == Function::count)
    return fail(Errc::usage,
                "This session counted only: neither side knows which indicators matched, so there is nothing to open.");
  if (terms.question.direction != Direction::both)
    return fail(Errc::usage,
                "In this session only one side learned which indicators matched. Ask again with --direction both to "
                "reveal context.");
  if (!outcome.agreed)
    return fail(Errc::usage, "This session has no result that both sides confirmed, so nothing of it can be opened.");
  TRY(found.matches, vault.session_matches(found.row.id));
  if (found.matches.empty()) return fail(Errc::usage, "Nothing matched in this session, so there is nothing to open.");
  return found;
}

// Which fields of which matches `consent` opens.
struct Planned {
  std::size_t match = 0;
  std::vector<std::size_t> fields;
};

struct Plan {
  std::vector<Planned> openings;
  RevealPreview preview;
};

Result<Plan> plan(std::span<const vault::SessionMatch> matches, const Consent& consent) {
  Plan made;
  made.preview.matches = matches.size();
  for (std::size_t i = 0; i < matches.size(); ++i) {
    TRY(const auto fields, committed_fields(matches[i]));
    const indicator::Tlp mark = mark_of(fields);
    if (mark == indicator::Tlp::red) {
      ++made.preview.held_back_red;
      continue;
    }
    if (mark > consent.tlp_max) {
      ++made.preview.held_back_tlp;
      continue;
    }
    Planned planned{.match = i, .fields = {}};
    bool says_something = false;
    for (std::size_t field = 0; field < kFieldPaths.size(); ++field) {
      const bool chosen = std::ranges::find(consent.fields, kFieldPaths[field]) != consent.fields.end();
      if (!chosen && !is_mark(kFieldPaths[field])) continue;
      if (fields[field] == kFiller) continue;
      planned.fields.push_back(field);
      says_something |= chosen;
    }
    if (says_something) made.openings.push_back(std::move(planned));
  }
  made.preview.openings = made.openings.size();
  return made;
}

log::Json consent_json(const Consent& consent) {
  log::Json::Array fields;
  for (const std::string& field : consent.fields) fields.emplace_back(field);
  return log::Json::Object{
      {"fields", std::move(fields)}, {"given", consent.given}, {"tlp_max", indicator::name_of(consent.tlp_max)}};
}

// H(domain || label || salt || H(openings, each with its length in front)): the openings are hashed as they come, so
// that none has to be kept until the salt is known. `label` is of who opens: nobody can offer what the other side
// offers.
class OfferHash {
 public:
  void add(std::string_view opening) {
    Bytes length;
    append_be(length, static_cast<std::uint32_t>(opening.size()));
    openings_.update(length);
    openings_.update(as_bytes(opening));
  }

  Digest finish(const Digest& label, ByteView salt) {
    crypto::Sha256 hash;
    hash.update(as_bytes(kOfferDomain));
    hash.update(label);
    hash.update(salt);
    hash.update(openings_.finish());
    return hash.finish();
  }

 private:
  crypto::Sha256 openings_;
};

// What is on record as opened is never less than what was: `more` added to the PJ1 object `known`, which may be "".
Result<std::string> with_more(const std::string& known, const log::Json& more) {
  if (known.empty()) return log::write_pjson(more);
  TRY(const log::Json before, log::parse_pjson(known, kFieldPaths.size() * kMaxFieldBytes + kMaxSettingBytes));
  log::Json::Object all = *more.object();
  for (const auto& [path, value] : *before.object()) all.emplace(path, value);
  return log::write_pjson(std::move(all));
}

// One exchange of a session at a time: two would each overwrite what the other has put on record.
class Turnstile {
 public:
  /// @error Errc::refused when an exchange of `session` is under way
  static Result<Turnstile> enter(const vault::Vault& vault, const std::string& session) {
    const std::lock_guard lock(mutex());
    const auto [place, entered] = inside().emplace(&vault, session);
    if (!entered) return fail(Errc::refused, "A reveal of this session is under way already.");
    return Turnstile(*place);
  }
  Turnstile(Turnstile&& other) noexcept : key_(std::exchange(other.key_, std::nullopt)) {}
  Turnstile& operator=(Turnstile&&) = delete;
  ~Turnstile() {
    if (!key_) return;
    const std::lock_guard lock(mutex());
    inside().erase(*key_);
  }

 private:
  using Key = std::pair<const vault::Vault*, std::string>;
  explicit Turnstile(Key key) : key_(std::move(key)) {}
  static std::mutex& mutex() {
    static std::mutex mutex;
    return mutex;
  }
  static std::set<Key>& inside() {
    static std::set<Key> sessions;
    return sessions;
  }

  std::optional<Key> key_;
};

// One exchange, seen from either side.
class Exchange {
 public:
  Exchange(const Party& us, group::LogLink& link, bool we_begin) : us_(us), steps_(link), we_begin_(we_begin) {}

  Result<RevealOutcome> begin(const std::string& session);
  Result<RevealOutcome> answer(const ReceivedStep& offer);

 private:
  Status prepare(const Consent& consent);
  // Whether group and own rules let context be opened to this peer now. @error Errc::policy
  Status check_permitted(const group::Membership& membership) const;
  Result<RevealOutcome> exchange();
  Status send_turn(std::uint64_t turn);
  Status receive_turn(std::uint64_t turn);
  // Checks one opening and puts it beside the match it is of, or beside the canary of ours that the other side takes
  // for one. @return which match; beyond the matches, which canary
  Result<std::size_t> take(std::string_view text);
  // Whether this session with this peer has no common indicators but canaries of ours.
  Result<bool> only_canaries_are_common(const std::string& session) const;
  Status check_salts();
  Status refuse(std::string_view code, const ReceivedStep& offer);
  // Writes a step of ours, or keeps one of theirs, with the state that it leads to.
  Result<mirror::EntryView> write(std::string_view state, std::string_view type, log::Json body,
                                  std::vector<Digest> refs);
  Status keep(std::string_view state, const ReceivedStep& step);
  Status save(std::string_view state, const vault::SessionStep& step);

  // Rounded up: who has few to open opens them first, not when the other side has opened all of its own.
  static std::uint64_t turn_begins(std::uint64_t turn, std::uint64_t count) {
    return (turn * count + kTurns - 1) / kTurns;
  }

  const Party& us_;
  StepLink steps_;
  bool we_begin_;

  Revealable session_;
  std::vector<std::string> ours_;       // openings as they will leave
  std::vector<std::size_t> our_match_;  // which match each of them is of
  ByteArray<32> our_salt_{};
  RevealOffer our_offer_, their_offer_;
  Commitment their_commitment_;
  std::uint64_t their_size_ = 0;
  std::vector<CanaryHit> hits_;
  std::map<std::pair<indicator::Type, std::string>, std::size_t>
      match_by_indicator_;  // the canaries behind the matches
  Digest their_label_{};
  OfferHash received_;
  std::uint64_t received_count_ = 0;
  std::optional<Turnstile> turnstile_;
};

Status Exchange::save(std::string_view state, const vault::SessionStep& step) {
  session_.row.state = state;
  session_.row.updated = wall_clock_now();
  return us_.vault.save_session(session_.row, std::vector{step});
}

Status Exchange::keep(std::string_view state, const ReceivedStep& step) {
  return save(state, stored_step(steps_.peer().nick, step));
}

Result<mirror::EntryView> Exchange::write(std::string_view state, std::string_view type, log::Json body,
                                          std::vector<Digest> refs) {
  return steps_.write(type, std::move(body), std::move(refs),
                      [&](const mirror::EntryView& step) { return save(state, stored_step(step)); });
}

Status Exchange::check_permitted(const group::Membership& membership) const {
  TRY_STATUS(membership.check(group::Act::reveal, wall_clock_now()));
  const std::string& peer = steps_.peer().nick;
  if (membership.charter().member(peer) == nullptr || membership.has_left(peer))
    return fail(Errc::policy, steps_.peer().name + " is no member of this group any more.");
  return steps_.link().log().with([&](mirror::Replica& replica) { return replica.trusted(peer); });
}

Status Exchange::prepare(const Consent& given) {
  TRY(const group::Membership membership, us_.membership_now());
  TRY_STATUS(check_permitted(membership));
  Consent consent = given;
  consent.tlp_max = std::min(consent.tlp_max, membership.max_tlp());
  TRY(const Terms terms, read_terms(session_.row.terms));
  their_size_ = terms.their_padded;
  TRY(Turnstile entered, Turnstile::enter(us_.vault, session_.row.id));
  turnstile_.emplace(std::move(entered));
  TRY(session_.matches, us_.vault.session_matches(session_.row.id));  // as they stand now that nobody else writes them
  const bool we_asked = session_.row.asked_by_us;
  const Digest our_label = input_label(session_.row.id, we_asked ? Side::asker : Side::responder);
  their_label_ = input_label(session_.row.id, we_asked ? Side::responder : Side::asker);
  TRY(const auto stored, us_.vault.secret(commitments_name(session_.row.id)));
  if (!stored) return fail(Errc::not_found, "The openings of this session are not in the vault any more.");
  TRY(const Commitments commitments, Commitments::restore(stored->expose()));
  TRY(const auto steps, us_.vault.session_steps(session_.row.id));
  const auto theirs = std::ranges::find_if(
      steps, [&](const vault::SessionStep& step) { return step.type == kCommit && step.author == steps_.peer().nick; });
  if (theirs == steps.end()) return fail(Errc::internal, "The other side's commitment is not in the vault.");
  TRY(const mirror::EntryView commit, find_step(steps_.link().log(), *theirs));
  if (!commit.body) return fail(Errc::internal, "What the other side committed to is not in the vault.");
  TRY(their_commitment_, Commitment::from_json(*commit.body));

  TRY(const Plan made, plan(session_.matches, consent));
  OfferHash offered;
  for (const Planned& planned : made.openings) {
    const vault::SessionMatch& match = session_.matches[planned.match];
    TRY(const CommittedPlace place, CommittedPlace::from_bytes(match.commitment));
    TRY(const auto fields, committed_fields(match));
    const ItemOpening item = commitments.opening(place.position, place.index, fields);
    const group::AllowedQuestion* allowed =
        membership.charter().question(match.indicator.type(), group::Function::intersection);
    const std::size_t most =
        allowed == nullptr ? 0 : static_cast<std::size_t>(membership.caps(*allowed).fields_per_item);
    if (consent.fields.size() > most)
      return fail(Errc::policy, fmt::format("The charter lets {} fields be opened on a match of type {}, and {} were "
                                            "chosen.",
                                            most, indicator::name_of(match.indicator.type()), consent.fields.size()));
    ours_.push_back(write_opening(make_opening(match.indicator, item, planned.fields)));
    offered.add(ours_.back());
    our_match_.push_back(planned.match);
  }
  for (std::size_t i = 0; i < session_.matches.size(); ++i) {
    const indicator::Canonical& indicator = session_.matches[i].indicator;
    match_by_indicator_.emplace(std::pair{indicator.type(), indicator.value()}, i);
  }
  TRY(hits_, hits_of(us_.vault, session_.row.id));
  for (std::size_t i = 0; i < hits_.size(); ++i) {
    const indicator::Canonical& indicator = hits_[i].canary.canary.indicator;
    match_by_indicator_.emplace(std::pair{indicator.type(), indicator.value()}, session_.matches.size() + i);
  }
  our_salt_ = random_bytes<32>();
  our_offer_ = {
      .fields = consent.fields, .openings = ours_.size(), .openings_commitment = offered.finish(our_label, our_salt_)};
  return {};
}

Result<RevealOutcome> Exchange::begin(const std::string& session) {
  TRY(session_, revealable(us_.vault, session));
  if (session_.row.group != steps_.link().log().group()) return fail(Errc::usage, "This session is of another group.");
  steps_.set_session(session_.row.id);
  TRY(const auto consent, consent_given(us_.vault, session_.row.id));
  if (!consent) return fail(Errc::internal, "A reveal was begun without consent.");
  TRY_STATUS(prepare(*consent));
  TRY_STATUS(steps_.link().exchange_heads(deadline_in(kStepWait)));
  TRY(const mirror::EntryView ours, write(session_.row.state, kRevealOffer, our_offer_.to_json(), {}));
  TRY_STATUS(steps_.send(ours));
  us_.progress.phase("waiting for " + steps_.peer().name + "'s offer", 0);
  TRY(const ReceivedStep step, steps_.receive_any(deadline_in(kStepWait)));
  if (step.session == session_.row.id && step.type == kRevealRefuse) {
    TRY(const Refusal refusal, Refusal::from_json(step.body));
    if (refusal.code == kNoConsentYet) return RevealOutcome{.waiting = true, .opened = 0, .received = 0};
    if (refusal.code == kNothingInReturn)
      return fail(
          Errc::refused,
          steps_.peer().name +
              " stopped: one of the two sides would open nothing. Choose fields that you hold for the matches.");
    if (refusal.code == kRefusedBusy)
      return fail(Errc::refused, steps_.peer().name + " is in a reveal of this session already; try again.");
    return fail(Errc::refused, steps_.peer().name + " does not reveal for this session.");
  }
  if (step.session != session_.row.id || step.type != kRevealOffer)
    return fail(Errc::protocol, "The other side answered the offer with something else.", steps_.peer().name);
  TRY(their_offer_, RevealOffer::from_json(step.body));
  TRY_STATUS(keep(kRevealing, step));
  return exchange();
}

Result<RevealOutcome> Exchange::answer(const ReceivedStep& step) {
  steps_.set_session(step.session);
  TRY(their_offer_, RevealOffer::from_json(step.body));
  auto found = revealable(us_.vault, step.session);
  if (!found || found->row.id != step.session || found->row.peer != steps_.peer().name ||
      found->row.group != steps_.link().log().group()) {
    // A canary is a match to the other side: that we hold nothing on it must look like a consent that is not given.
    TRY(const bool decoys_only, only_canaries_are_common(step.session));
    TRY_STATUS(refuse(decoys_only ? kNoConsentYet : kNotRevealable, step));
    return fail(Errc::refused, steps_.peer().name + " offered a reveal for a session that has none.");
  }
  if (auto permitted = check_permitted(us_.membership); !permitted) {
    TRY_STATUS(refuse(kNotRevealable, step));
    return std::unexpected(std::move(permitted).error());
  }
  session_ = *std::move(found);
  TRY(const auto consent, consent_given(us_.vault, session_.row.id));
  if (!consent) {
    TRY_STATUS(us_.vault.put_setting(waiting_name(session_.row.id), log::write_pjson(step.body)));
    TRY_STATUS(refuse(kNoConsentYet, step));
    return RevealOutcome{.waiting = true, .opened = 0, .received = 0};
  }
  if (auto prepared = prepare(*consent); !prepared) {
    if (prepared.error().code == Errc::refused) TRY_STATUS(refuse(kRefusedBusy, step));
    if (prepared.error().code == Errc::policy) TRY_STATUS(refuse(kNotRevealable, step));
    return std::unexpected(std::move(prepared).error());
  }
  if ((our_offer_.openings == 0) != (their_offer_.openings == 0)) {
    TRY_STATUS(refuse(kNothingInReturn, step));
    return fail(Errc::refused, "One of the two sides would open nothing, so neither opens.");
  }
  TRY_STATUS(keep(kRevealing, step));
  TRY(const mirror::EntryView ours, write(kRevealing, kRevealOffer, our_offer_.to_json(), {step.leaf_hash}));
  TRY_STATUS(steps_.send(ours));
  return exchange();
}

Result<bool> Exchange::only_canaries_are_common(const std::string& session) const {
  const auto row = us_.vault.session(session);
  if (!row || row->id != session || row->peer != steps_.peer().name || row->group != steps_.link().log().group())
    return false;
  TRY(const auto hits, hits_of(us_.vault, session));
  TRY(const auto matches, us_.vault.session_matches(session));
  return !hits.empty() && matches.empty();
}

Status Exchange::refuse(std::string_view code, const ReceivedStep& offer) {
  TRY(const mirror::EntryView ours,
      steps_.write(kRevealRefuse, Refusal{.code = std::string(code), .text = {}}.to_json(), {offer.leaf_hash}));
  return steps_.send(ours);
}

Result<RevealOutcome> Exchange::exchange() {
  if ((our_offer_.openings == 0) != (their_offer_.openings == 0))
    return fail(Errc::refused, "One of the two sides would open nothing, so neither opens.");
  if (their_offer_.openings > match_by_indicator_.size())
    return fail(Errc::protocol, "The other side offers to open more indicators than matched.", steps_.peer().name);
  us_.progress.phase("opening in turn", kTurns);
  for (std::uint64_t turn = 0; turn < kTurns; ++turn) {
    if (us_.progress.cancelled()) return fail(Errc::cancelled, "Stopped. What both had opened until then stays.");
    if (we_begin_) {
      TRY_STATUS(send_turn(turn));
      TRY_STATUS(receive_turn(turn));
    } else {
      TRY_STATUS(receive_turn(turn));
      TRY_STATUS(send_turn(turn));
    }
    us_.progress.advance(turn + 1);
  }
  TRY_STATUS(check_salts());
  TRY_STATUS(us_.vault.put_setting(consent_name(session_.row.id), ""));
  TRY_STATUS(us_.vault.put_setting(waiting_name(session_.row.id), ""));
  TRY(const mirror::EntryView ours,
      write(kClosed, kRevealClose,
            log::Json::Object{{"received", static_cast<std::int64_t>(received_count_)}, {"v", kSessionVersion}}, {}));
  TRY_STATUS(steps_.send(ours));
  TRY(const ReceivedStep closed, steps_.receive(kRevealClose, deadline_in(kStepWait)));
  TRY_STATUS(keep(kClosed, closed));
  (void)steps_.link().await_held(ours, deadline_in(kClosingWait));
  (void)steps_.link().keep();
  return RevealOutcome{.waiting = false, .opened = ours_.size(), .received = received_count_};
}

Status Exchange::send_turn(std::uint64_t turn) {
  const std::uint64_t begin = turn_begins(turn, ours_.size()), end = turn_begins(turn + 1, ours_.size());
  if (begin == end) return {};
  // On record before it leaves: what we opened can only be counted too high.
  std::vector<vault::SessionMatch> changed;
  for (std::uint64_t i = begin; i < end; ++i) {
    vault::SessionMatch& match = session_.matches[our_match_[i]];
    TRY(const Opening opening, read_opening(ours_[i]));
    TRY(const log::Json context, opened_context(opening));
    TRY(match.opened, with_more(match.opened, context));
    changed.push_back(match);
  }
  TRY_STATUS(us_.vault.update_matches(session_.row.id, changed));
  for (std::uint64_t i = begin; i < end; ++i)
    TRY_STATUS(steps_.link().send(wire::FrameType::opening, as_bytes(ours_[i])));
  return {};
}

Status Exchange::receive_turn(std::uint64_t turn) {
  const std::uint64_t begin = turn_begins(turn, their_offer_.openings),
                      end = turn_begins(turn + 1, their_offer_.openings);
  if (begin == end) return {};
  std::vector<vault::SessionMatch> changed;
  for (std::uint64_t i = begin; i < end; ++i) {
    TRY(const wire::Frame frame, steps_.link().receive(deadline_in(kStepWait)));
    if (frame.type == wire::FrameType::step)
      return fail(Errc::refused, "The other side stopped revealing.", steps_.peer().name);
    if (frame.type != wire::FrameType::opening || frame.payload.size() > kMaxOpeningBytes)
      return fail(Errc::protocol, "A frame arrived where an opening was due.", steps_.peer().name);
    TRY(const std::size_t match, take(as_text(frame.payload)));
    if (match < session_.matches.size())
      changed.push_back(session_.matches[match]);
    else
      TRY_STATUS(keep_hits(us_.vault, session_.row.group, steps_.peer().nick, session_.row.id, hits_));
  }
  return us_.vault.update_matches(session_.row.id, changed);
}

Result<std::size_t> Exchange::take(std::string_view text) {
  TRY(const Opening opening, read_opening(text));
  const auto found = match_by_indicator_.find({opening.indicator.type(), opening.indicator.value()});
  if (found == match_by_indicator_.end())
    return fail(Errc::protocol, "The other side opened an indicator that did not match, or one twice.",
                steps_.peer().name);
  TRY_STATUS(check_opening(their_label_, opening.indicator, opening.index, opening.salt, opening.items_path,
                           opening.context_path, opening.commitments, opening.fields, their_commitment_.items_root,
                           their_commitment_.context_root, their_size_));
  for (const OpenedField& field : opening.fields) {
    const std::string_view path = kFieldPaths[field.field];
    if (!is_mark(path) && std::ranges::find(their_offer_.fields, path) == their_offer_.fields.end())
      return fail(Errc::protocol, "The other side opened a field that it had not offered.", steps_.peer().name);
  }
  TRY(const log::Json context, opened_context(opening));
  if (!context.object()->contains("tlp") ||
      std::ranges::all_of(*context.object(), [](const auto& member) { return is_mark(member.first); }))
    return fail(Errc::protocol, "The other side opened an indicator without its TLP, or nothing but marks of it.",
                steps_.peer().name);
  const std::size_t match = found->second;
  std::string& theirs =
      match < session_.matches.size() ? session_.matches[match].theirs : hits_[match - session_.matches.size()].theirs;
  TRY(theirs, with_more(theirs, context));
  match_by_indicator_.erase(found);
  received_.add(text);
  ++received_count_;
  return match;
}

// Both show that what they opened is what they had offered, all of it and nothing else.
Status Exchange::check_salts() {
  TRY_STATUS(steps_.link().send(wire::FrameType::opening, our_salt_));
  TRY(const wire::Frame frame, steps_.link().receive(deadline_in(kStepWait)));
  ByteArray<32> salt{};
  if (frame.type != wire::FrameType::opening || frame.payload.size() != salt.size())
    return fail(Errc::protocol, "The other side did not open its offer.", steps_.peer().name);
  std::ranges::copy(frame.payload, salt.begin());
  if (received_.finish(their_label_, salt) != their_offer_.openings_commitment)
    return fail(Errc::protocol, "What the other side opened is not what it had offered.", steps_.peer().name);
  return {};
}

}  // namespace

Result<RevealPreview> preview(vault::Vault& vault, const std::string& session, const Consent& consent) {
  TRY(const Revealable found, revealable(vault, session));
  TRY(const Plan made, plan(found.matches, consent));
  return made.preview;
}

Status give_consent(vault::Vault& vault, const std::string& session, const Consent& consent) {
  TRY(const Revealable found, revealable(vault, session));
  return vault.put_setting(consent_name(found.row.id), log::write_pjson(consent_json(consent)));
}

Result<std::optional<Consent>> consent_given(vault::Vault& vault, const std::string& session) {
  TRY(const auto stored, vault.setting(consent_name(session)));
  if (!stored || stored->empty()) return std::nullopt;
  TRY(const log::Json json, log::parse_pjson(*stored, kMaxSettingBytes));
  log::ObjectReader reader(json, "the stored consent");
  Consent consent;
  consent.fields = reader.texts("fields", kFieldPaths.size(), 32);
  consent.given = reader.integer("given", 0, log::kMaxInteger);
  const auto tlp = indicator::tlp_named(reader.text("tlp_max", 32));
  if (!tlp) reader.refuse("its TLP is not a known one");
  TRY_STATUS(reader.finish());
  consent.tlp_max = *tlp;
  return consent;
}

Result<std::optional<RevealOffer>> offer_waiting(vault::Vault& vault, const std::string& session) {
  TRY(const auto stored, vault.setting(waiting_name(session)));
  if (!stored || stored->empty()) return std::nullopt;
  TRY(const log::Json json, log::parse_pjson(*stored, kMaxSettingBytes));
  TRY(RevealOffer offer, RevealOffer::from_json(json));
  return offer;
}

Result<RevealOutcome> reveal(const Party& us, group::LogLink& link, const std::string& session) {
  us.progress.set_wake([&link] { link.shut_down(); });
  auto outcome = Exchange(us, link, true).begin(session);
  us.progress.set_wake({});
  return outcome;
}

Result<RevealOutcome> answer_reveal(const Party& us, group::LogLink& link, const ReceivedStep& offer) {
  us.progress.set_wake([&link] { link.shut_down(); });
  auto outcome = Exchange(us, link, false).answer(offer);
  us.progress.set_wake({});
  return outcome;
}

}  // namespace parley::session
