// Two members with real vaults who hold a session over a real link, and a peer that deviates from what it should say.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <future>
#include <set>

#include "crypto/hash.h"
#include "group/charter.h"
#include "group/group_keys.h"
#include "group/membership.h"
#include "session/reveal.h"
#include "session/session.h"
#include "session/states.h"
#include "vault/testing.h"
#include "wire/two_members.h"

namespace parley::session {

using vault::fails, vault::succeeds;  // of ASSERT_OK and its like

/// A member's folder, which a key file opens, and its material.
class TestMember {
 public:
  static constexpr std::string_view kDomain = "parley.example";
  TestMember(std::string name, const std::vector<vault::TestRecord>& records) : name_(std::move(name)) {
    unlock_.key_file = random_secret<32>();
    EXPECT_OK(vault::Vault::create(folder_.path(), unlock_));
    const auto vault = open_vault();
    EXPECT_OK(group::create_member(folder_.path(), name_, unlock_, *vault));
    EXPECT_OK(
        vault::import_records(*vault, {.source = name_ + ".csv", .format = "csv", .labels = {}, .tlp = {}}, records));
  }
  const std::filesystem::path& folder() const { return folder_.path(); }
  const vault::Unlock& unlock() const { return unlock_; }
  std::unique_ptr<vault::Vault> open_vault() const {
    auto vault = vault::Vault::open(folder_.path(), unlock_);
    if (!vault) throw std::runtime_error(vault.error().text());
    return *std::move(vault);
  }
  /// This member's keys of a group, made when it is first asked for.
  group::GroupKeys keys_of(vault::Vault& vault, const std::string& group) const {
    const std::string nick = load(vault).card.nick;
    auto keys = group::load_group_keys(folder_.path(), vault, kDomain, group, nick);
    if (!keys) keys = group::create_group_keys(folder_.path(), vault, kDomain, group, nick);
    if (!keys) throw std::runtime_error(keys.error().text());
    return *std::move(keys);
  }
  group::Member load(const vault::Vault& vault) const {
    auto member = group::load_member(folder_.path(), vault);
    if (!member) throw std::runtime_error(member.error().text());
    return *std::move(member);
  }

 private:
  vault::TemporaryFolder folder_;
  std::string name_;
  vault::Unlock unlock_;
};

/// What a member with another program writes in the place of its entries.
using Rewrite = std::function<void(mirror::Draft&)>;

class RewritingLog final : public group::JointLog {
 public:
  using JointLog::JointLog;
  Result<mirror::EntryView> append(mirror::Draft draft, const Work& work) override {
    if (rewrite) rewrite(draft);
    return JointLog::append(std::move(draft), work);
  }
  UnixSeconds time() override { return JointLog::time() + ahead; }
  Rewrite rewrite;
  std::int64_t ahead = 0;  ///< seconds, of the time that its entries state
};

/// The group of a charter as its member `nick` sees it.
inline mirror::GroupView view_by(const group::SignedCharter& charter, const std::string& nick) {
  mirror::GroupView view;
  view.id = charter.charter.group;
  view.charter = charter.hash;
  for (const group::CharterMember& each : charter.charter.members) {
    if (each.keys.nick == nick) view.self = view.members.size();
    view.members.push_back(each.keys);
    view.members.back().id = each.id;
  }
  return view;
}

inline constexpr std::int64_t kAnyTime = std::int64_t{366} * 86'400;

/// A member at work: its vault is open.
struct Opened {
  explicit Opened(const TestMember& test_member)
      : home(test_member), vault(test_member.open_vault()), member(test_member.load(*vault)) {}
  wire::PinnedPeer pin() const { return group::pinned(member.card.nick, member.card); }
  group::CharterMember charter_member(const std::string& group) {
    return {.keys = home.keys_of(*vault, group).keys,
            .card = crypto::sha256(as_bytes(member.card.note)),
            .id = *log::parse_vkey(member.card.id_vkey),
            .tls_key = member.card.tls_key};
  }
  /// Pins `peer`, as if both had compared fingerprints.
  void meet(const Opened& peer) {
    const std::string& nick = peer.member.card.nick;
    if (vault->peer(nick)) return;
    EXPECT_OK(vault->add_peer({.name = nick, .card = peer.member.card.note, .address = "127.0.0.1:1", .added = 1}));
    EXPECT_OK(vault->confirm_peer(nick, 1));
  }

  group::Membership membership(const group::SignedCharter& charter) const {
    group::SignedCharter kept = charter;
    if (minds_no_clock) {
      kept.charter.clock_skew_seconds += kAnyTime;
      kept.charter.not_after += kAnyTime;  // a charter is over so much earlier
    }
    return {{.id = charter.charter.group, .name = "pair", .state = std::string(group::kActive)},
            {kept},
            {},
            {},
            *log::parse_vkey(member.card.id_vkey)};
  }
  /// This member's replica of the group's joint log.
  RewritingLog& log(const group::SignedCharter& charter) {
    std::unique_ptr<RewritingLog>& log = logs_[charter.charter.group];
    if (log) return *log;
    mirror::GroupView view = view_by(charter, member.card.nick);
    group::GroupKeys ours = home.keys_of(*vault, view.id);
    auto replica =
        group::open_replica(*vault, home.folder(), std::move(view),
                            mirror::OwnSeeds{std::move(ours.node), std::move(ours.log), std::move(ours.cosign)});
    if (!replica) throw std::runtime_error(replica.error().text());
    log = std::make_unique<RewritingLog>(charter.charter.group, member.card.nick, log::Json::Object{{"v", 1}},
                                         *std::move(replica));
    EXPECT_OK(log_aborts(*vault, *log));
    return *log;
  }
  Party party(const group::Membership& membership) {
    return {.vault = *vault,
            .member = member,
            .membership = membership,
            .membership_now = [&membership] { return Result<group::Membership>(membership); },
            .under_way = under_way,
            .ledgers = ledgers,
            .pool = pool,
            .progress = progress};
  }

  bool minds_no_clock = false;  ///< its program lets its own steps, and others', be of any time
  const TestMember& home;
  std::unique_ptr<vault::Vault> vault;
  group::Member member;
  UnderWay under_way;
  Ledgers ledgers;
  ThreadPool pool{1};
  SilentProgress progress;

 private:
  std::map<std::string, std::unique_ptr<RewritingLog>> logs_;
};

/// The charter of members who pin each other: every question is allowed for the next month. Its id is made of their
/// nicks.
inline group::SignedCharter charter_among(const std::vector<Opened*>& members) {
  std::set<std::string> nicks;
  for (Opened* one : members) {
    nicks.insert(one->member.card.nick);
    for (const Opened* other : members)
      if (one != other) one->meet(*other);
  }
  group::Charter charter;
  charter.group = to_hex(ByteView(crypto::sha256(as_bytes(fmt::format("{}", fmt::join(nicks, " and "))))).first(16));
  charter.domain = TestMember::kDomain;
  charter.not_before = 1;
  charter.not_after = wall_clock_now() / 86'400 * 86'400 + 30 * 86'400;
  charter.max_tlp = indicator::Tlp::red;
  charter.protocols = {"classic", "fast"};
  for (const indicator::Type type : indicator::kAllTypes)
    for (const group::Function function : group::kAllFunctions)
      charter.questions.push_back({.type = type, .function = function, .caps = group::kNoCaps});
  for (Opened* member : members) charter.members.push_back(member->charter_member(charter.group));
  std::ranges::sort(charter.members, {}, [](const auto& member) { return member.keys.nick; });
  for (const Opened* side : members) {
    EXPECT_OK(side->vault->put_group(
        {.id = charter.group, .name = "pair-" + charter.group, .state = std::string(group::kActive)}));
    EXPECT_OK(side->vault->set_group_material(charter.group, std::vector{vault::MaterialRule{}}));
  }
  return {
      .charter = charter, .note = group::charter_text(charter), .hash = group::charter_hash(charter), .signers = {}};
}

inline group::SignedCharter charter_of(Opened& one, Opened& other) {
  return charter_among({&one, &other});
}

/// A link that passes everything on to another.
class LinkDecorator : public wire::Link {
 public:
  explicit LinkDecorator(wire::Link& inner) : inner_(inner) {}
  const wire::PinnedPeer& peer() const override { return inner_.peer(); }
  const Digest& exporter() const override { return inner_.exporter(); }
  UnixSeconds peer_time() const override { return inner_.peer_time(); }
  Status send(wire::FrameType type, ByteView payload) override { return inner_.send(type, payload); }
  Status send_until(wire::FrameType type, ByteView payload, Deadline deadline) override {
    return inner_.send_until(type, payload, deadline);
  }
  Result<wire::Frame> receive(Deadline deadline) override { return inner_.receive(deadline); }
  Result<bool> wait_readable(Deadline deadline) override { return inner_.wait_readable(deadline); }
  std::uint64_t bytes_sent() const override { return inner_.bytes_sent(); }
  std::uint64_t bytes_received() const override { return inner_.bytes_received(); }
  std::chrono::microseconds round_trip() const override { return inner_.round_trip(); }
  void let_run_ahead(std::size_t bytes) override { inner_.let_run_ahead(bytes); }
  void close(Error why) override { inner_.close(std::move(why)); }

 protected:
  wire::Link& inner_;
};

/// How a peer with another program deviates: what it writes into its log in the place of an entry, and what it sends in
/// the place of a frame.
struct Deviation {
  Rewrite rewrite = {};
  std::function<std::vector<wire::Frame>(const wire::Frame& frame)> resend = {};
};

class DeviatingLink final : public LinkDecorator {
 public:
  DeviatingLink(wire::Link& inner, const Deviation& deviation) : LinkDecorator(inner), deviation_(deviation) {}
  Status send(wire::FrameType type, ByteView payload) override {
    if (!deviation_.resend) return inner_.send(type, payload);
    for (const wire::Frame& frame : deviation_.resend({type, to_bytes(payload)}))
      TRY_STATUS(inner_.send(frame.type, frame.payload));
    return {};
  }
  Status send_until(wire::FrameType type, ByteView payload, Deadline) override { return send(type, payload); }

 private:
  Deviation deviation_;
};

/// What a session or reveal was like for both.
template <typename Outcome>
struct Both {
  Result<Outcome> began, answered;
};

inline const std::chrono::milliseconds kPatience = std::chrono::seconds(30);

inline Limits test_limits() {
  return {.decision = kPatience, .step = kPatience, .run = kPatience};
}

/// Connects both and lets each side tell its story in its own thread; each closes its link when it has ended.
template <typename Outcome>
Both<Outcome> meet_in(const group::SignedCharter& charter, Opened& beginner, Opened& answerer,
                      const Deviation& beginner_deviates, const Deviation& answerer_deviates,
                      const std::function<Result<Outcome>(Party, group::LogLink&)>& begin,
                      const std::function<Result<Outcome>(Party, group::LogLink&)>& answer) {
  wire::Listener listener;
  RewritingLog& beginner_log = beginner.log(charter);
  RewritingLog& answerer_log = answerer.log(charter);
  beginner_log.rewrite = beginner_deviates.rewrite;
  answerer_log.rewrite = answerer_deviates.rewrite;
  auto answered = std::async(std::launch::async, [&]() -> Result<Outcome> {
    TRY(const auto link, wire::accept(listener.accept(), answerer.member.identity(), wire::only(beginner.pin())));
    DeviatingLink deviating(*link, answerer_deviates);
    group::LogLink log_link(deviating, answerer_log);
    const group::Membership membership = answerer.membership(charter);
    return answer(answerer.party(membership), log_link);
  });
  const auto began = [&]() -> Result<Outcome> {
    TRY(const auto link, wire::connect(listener.address(), beginner.member.identity(), answerer.pin()));
    DeviatingLink deviating(*link, beginner_deviates);
    group::LogLink log_link(deviating, beginner_log);
    const group::Membership membership = beginner.membership(charter);
    return begin(beginner.party(membership), log_link);
  }();
  return {began, answered.get()};
}

/// In the pair's own group.
template <typename Outcome>
Both<Outcome> meet(Opened& beginner, Opened& answerer, const Deviation& beginner_deviates,
                   const Deviation& answerer_deviates,
                   const std::function<Result<Outcome>(Party, group::LogLink&)>& begin,
                   const std::function<Result<Outcome>(Party, group::LogLink&)>& answer) {
  return meet_in<Outcome>(charter_of(beginner, answerer), beginner, answerer, beginner_deviates, answerer_deviates,
                          begin, answer);
}

/// The first step on a link of the answering side.
inline Result<ReceivedStep> first_step(group::LogLink& link) {
  return StepLink(link).receive_any(deadline_in(kPatience));
}

inline std::optional<Decision> accept_everything(const Offer&, Deadline) {
  return Decision{.accept = true, .why = {}, .label = {}};
}

inline Both<std::string> hold_session_in(const group::SignedCharter& charter, Opened& asker, Opened& answerer,
                                         const Question& question, const Deviation& asker_deviates = {},
                                         const Deviation& answerer_deviates = {},
                                         const Decide& decide = accept_everything) {
  return meet_in<std::string>(
      charter, asker, answerer, asker_deviates, answerer_deviates,
      [&](Party us, group::LogLink& link) { return ask(us, link, question, test_limits(), {}); },
      [&](Party us, group::LogLink& link) -> Result<std::string> {
        TRY(const ReceivedStep step, first_step(link));
        return session::answer(us, link, step, test_limits(), decide);
      });
}

/// In the pair's own group.
inline Both<std::string> hold_session(Opened& asker, Opened& answerer, const Question& question,
                                      const Deviation& asker_deviates = {}, const Deviation& answerer_deviates = {},
                                      const Decide& decide = accept_everything) {
  return hold_session_in(charter_of(asker, answerer), asker, answerer, question, asker_deviates, answerer_deviates,
                         decide);
}

inline Both<RevealOutcome> hold_reveal(Opened& beginner, Opened& answerer, const std::string& session,
                                       const Deviation& beginner_deviates = {},
                                       const Deviation& answerer_deviates = {}) {
  return meet<RevealOutcome>(
      beginner, answerer, beginner_deviates, answerer_deviates,
      [&](Party us, group::LogLink& link) { return reveal(us, link, session); },
      [&](Party us, group::LogLink& link) -> Result<RevealOutcome> {
        TRY(const ReceivedStep step, first_step(link));
        return answer_reveal(us, link, step);
      });
}

/// The last that `side` wrote of how a reveal ended.
inline RevealEnd last_end_of_reveal(Opened& side, const group::SignedCharter& charter) {
  RevealEnd end;
  const std::string& nick = side.member.card.nick;
  side.log(charter).with([&](mirror::Replica& replica) {
    for (std::uint64_t seq = 0; seq < replica.size(nick); ++seq) {
      const auto entry = replica.entry(nick, seq);
      if (entry && entry->entry.type == kRevealClose) end = *RevealEnd::from_json(*entry->body);
    }
  });
  return end;
}

inline Question which_addresses(const std::string& label = "") {
  Question question;
  question.types = {indicator::Type::ipv4};
  question.label = label;
  return question;
}
inline Question which_addresses_and_names() {
  Question question;
  question.types = {indicator::Type::ipv4, indicator::Type::domain};
  std::ranges::sort(question.types);
  return question;
}

/// The id of a session that both held to its end.
inline std::string session_between(Opened& asker, Opened& answerer) {
  const auto held = hold_session(asker, answerer, which_addresses_and_names());
  EXPECT_OK(held.began);
  EXPECT_OK(held.answered);
  return held.began.value_or("");
}

/// A record with context that can be revealed.
inline vault::TestRecord record(indicator::Type type, std::string value, const std::string& malware) {
  indicator::Context context;
  context.tlp = indicator::Tlp::green;
  context.labels = {{indicator::LabelKind::malware, malware}};
  return {type, std::move(value), context, 0};
}

/// Three that both hold, and one of its own.
inline std::vector<vault::TestRecord> material(const std::string& malware) {
  return {record(indicator::Type::ipv4, "198.51.100.7", malware), record(indicator::Type::ipv4, "203.0.113.9", malware),
          record(indicator::Type::domain, "evil.example", malware),
          record(indicator::Type::domain, malware + ".example", malware)};
}

inline const std::set<std::string> kShared = {"198.51.100.7", "203.0.113.9", "evil.example"};

inline std::set<std::string> matched(vault::Vault& vault, const std::string& session) {
  std::set<std::string> values;
  const auto matches = vault.session_matches(session);
  EXPECT_OK(matches);
  for (const vault::SessionMatch& match : *matches) values.insert(match.indicator.value());
  return values;
}

/// Matches of which something was opened to the other side.
inline std::size_t opened_matches(vault::Vault& vault, const std::string& session) {
  const auto matches = vault.session_matches(session);
  EXPECT_OK(matches);
  return static_cast<std::size_t>(
      std::ranges::count_if(*matches, [](const vault::SessionMatch& match) { return !match.opened.empty(); }));
}

inline std::string newest_session(vault::Vault& vault) {
  const auto rows = vault.sessions();
  return rows && !rows->empty() ? rows->front().id : std::string();
}

inline std::string state_of(vault::Vault& vault, const std::string& session) {
  const auto row = vault.session(session);
  return row ? row->state : "unknown";
}

inline Outcome outcome_of(vault::Vault& vault, const std::string& session) {
  const auto row = vault.session(session);
  const auto outcome = row ? read_outcome(row->outcome) : Result<Outcome>(Outcome{});
  return outcome ? *outcome : Outcome{};
}

}  // namespace parley::session
