// Two members with real vaults who hold a session over a real link, and a peer that deviates from what it should say.
#pragma once

#include <gmock/gmock.h>

#include <future>
#include <set>

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
  TestMember(std::string name, const std::vector<vault::TestRecord>& records) : name_(std::move(name)) {
    unlock_.key_file = random_secret<32>();
    EXPECT_OK(vault::Vault::create(folder_.path(), unlock_));
    const auto vault = open_vault();
    EXPECT_OK(group::create_member(folder_.path(), name_, unlock_, *vault));
    EXPECT_OK(
        vault::import_records(*vault, {.source = name_ + ".csv", .format = "csv", .labels = {}, .tlp = {}}, records));
  }
  const std::filesystem::path& folder() const { return folder_.path(); }
  std::unique_ptr<vault::Vault> open_vault() const {
    auto vault = vault::Vault::open(folder_.path(), unlock_);
    if (!vault) throw std::runtime_error(vault.error().text());
    return *std::move(vault);
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

/// A member at work: its vault is open.
struct Opened {
  explicit Opened(const TestMember& test_member) : vault(test_member.open_vault()), member(test_member.load(*vault)) {}
  Party party() { return {.vault = *vault, .member = member, .pool = pool, .progress = progress}; }
  wire::PinnedPeer pin() const { return group::pinned(member.card.nick, member.card); }

  std::unique_ptr<vault::Vault> vault;
  group::Member member;
  ThreadPool pool{1};
  SilentProgress progress;
};

/// A link that passes everything on to another.
class LinkDecorator : public wire::Link {
 public:
  explicit LinkDecorator(wire::Link& inner) : inner_(inner) {}
  const wire::PinnedPeer& peer() const override { return inner_.peer(); }
  const Digest& exporter() const override { return inner_.exporter(); }
  Status send(wire::FrameType type, ByteView payload) override { return inner_.send(type, payload); }
  Status send_until(wire::FrameType type, ByteView payload, Deadline deadline) override {
    return inner_.send_until(type, payload, deadline);
  }
  Result<wire::Frame> receive(Deadline deadline) override { return inner_.receive(deadline); }
  Result<bool> wait_readable(Deadline deadline) override { return inner_.wait_readable(deadline); }
  std::uint64_t bytes_sent() const override { return inner_.bytes_sent(); }
  std::uint64_t bytes_received() const override { return inner_.bytes_received(); }
  std::chrono::microseconds round_trip() const override { return inner_.round_trip(); }
  void shut_down() override { inner_.shut_down(); }

 protected:
  wire::Link& inner_;
};

/// What a deviating peer makes of a frame that it should send: what is sent instead.
using Deviation = std::function<std::vector<wire::Frame>(const wire::Frame& frame)>;

class DeviatingLink final : public LinkDecorator {
 public:
  DeviatingLink(wire::Link& inner, Deviation deviation) : LinkDecorator(inner), deviation_(std::move(deviation)) {}
  Status send(wire::FrameType type, ByteView payload) override {
    if (!deviation_) return inner_.send(type, payload);
    for (const wire::Frame& frame : deviation_({type, to_bytes(payload)}))
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
Both<Outcome> meet(Opened& beginner, Opened& answerer, const Deviation& beginner_deviates,
                   const Deviation& answerer_deviates, const std::function<Result<Outcome>(Party, wire::Link&)>& begin,
                   const std::function<Result<Outcome>(Party, wire::Link&)>& answer) {
  wire::Listener listener;
  auto answered = std::async(std::launch::async, [&]() -> Result<Outcome> {
    TRY(const auto link, wire::accept(listener.accept(), answerer.member.identity(), wire::only(beginner.pin())));
    DeviatingLink deviating(*link, answerer_deviates);
    return answer(answerer.party(), deviating);
  });
  const auto began = [&]() -> Result<Outcome> {
    TRY(const auto link, wire::connect(listener.address(), beginner.member.identity(), answerer.pin()));
    DeviatingLink deviating(*link, beginner_deviates);
    return begin(beginner.party(), deviating);
  }();
  return {began, answered.get()};
}

/// The first step on a link of the answering side.
inline Result<ReceivedStep> first_step(const Party& us, wire::Link& link) {
  return StepLink(link, us.member).receive_first(deadline_in(kPatience));
}

inline std::optional<Decision> accept_everything(const Offer&, Deadline) {
  return Decision{.accept = true, .why = {}, .label = {}};
}

inline Both<std::string> hold_session(Opened& asker, Opened& answerer, const Question& question,
                                      const Deviation& asker_deviates = {}, const Deviation& answerer_deviates = {},
                                      const Decide& decide = accept_everything) {
  return meet<std::string>(
      asker, answerer, asker_deviates, answerer_deviates,
      [&](Party us, wire::Link& link) { return ask(us, link, question, test_limits(), {}); },
      [&](Party us, wire::Link& link) -> Result<std::string> {
        TRY(const ReceivedStep step, first_step(us, link));
        return session::answer(us, link, step, test_limits(), decide);
      });
}

inline Both<RevealOutcome> hold_reveal(Opened& beginner, Opened& answerer, const std::string& session,
                                       const Deviation& beginner_deviates = {},
                                       const Deviation& answerer_deviates = {}) {
  return meet<RevealOutcome>(
      beginner, answerer, beginner_deviates, answerer_deviates,
      [&](Party us, wire::Link& link) { return reveal(us, link, session); },
      [&](Party us, wire::Link& link) -> Result<RevealOutcome> {
        TRY(const ReceivedStep step, first_step(us, link));
        return answer_reveal(us, link, step);
      });
}

inline Question which_addresses_and_names() {
  Question question;
  question.types = {indicator::Type::ipv4, indicator::Type::domain};
  std::ranges::sort(question.types);
  return question;
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
