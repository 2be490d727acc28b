// Two sessions with one peer, each on a link of its own: neither waits for what the other does not read.
#include <thread>

#include "support/session_parties.h"

namespace parley::session {
namespace {

/// Both ends of a link.
std::pair<std::unique_ptr<wire::Link>, std::unique_ptr<wire::Link>> link_between(Opened& here, Opened& there) {
  wire::Listener listener;
  auto accepting = std::async(std::launch::async, [&] {
    return wire::accept(listener.accept(), there.member.identity(), wire::only(here.pin()));
  });
  auto connected = wire::connect(listener.address(), here.member.identity(), there.pin());
  auto accepted = accepting.get();
  if (!connected || !accepted) throw std::runtime_error("no link");
  return {*std::move(connected), *std::move(accepted)};
}

/// A link to the other member, who takes what comes.
class Served {
 public:
  Served(Opened& here, Opened& there, group::JointLog& here_log, group::JointLog& there_log) {
    std::tie(here_, there_) = link_between(here, there);
    serving_ = std::thread([this, &there_log] {
      group::LogLink link(*there_, there_log);
      if (!link.exchange_heads(deadline_in(kPatience))) return;
      while (link.wait_readable(deadline_in(kPatience))) {
      }
    });
    link_.emplace(*here_, here_log);
    EXPECT_OK(link_->exchange_heads(deadline_in(kPatience)));
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  ~Served() {
    there_->shut_down();
    serving_.join();
  }
  group::LogLink& link() { return *link_; }
  void cut() { there_->shut_down(); }

 private:
  std::unique_ptr<wire::Link> here_, there_;
  std::optional<group::LogLink> link_;
  std::thread serving_;
};

class TwoLinks : public testing::Test {
 protected:
  Result<mirror::EntryView> append() {
    return log_.append({.type = std::string(log::kHeads),
                        .session = {},
                        .refs = {},
                        .audience = {"*"},
                        .body = log::Json::Object{{"v", 1}}});
  }
  const TestMember alpha_{"alpha", material("alpha")}, bravo_{"bravo", material("bravo")};
  Opened here_{alpha_}, there_{bravo_};
  const group::SignedCharter charter_ = charter_of(here_, there_);
  group::JointLog& log_ = here_.log(charter_);
  Served first_{here_, there_, log_, there_.log(charter_)}, second_{here_, there_, log_, there_.log(charter_)};
};

TEST_F(TwoLinks, ToOnePeerDoNotWaitForEachOther) {
  const auto entry = append();
  ASSERT_OK(entry);
  ASSERT_OK(first_.link().push(deadline_in(kPatience)));
  EXPECT_OK(second_.link().await_held(*entry, deadline_in(kPatience))) << "nobody reads the answer on the first link";
}

TEST_F(TwoLinks, GoOnWhereOneOfThemEnded) {
  first_.cut();
  const auto entry = append();
  ASSERT_OK(entry);
  (void)first_.link().push(deadline_in(kPatience));
  EXPECT_OK(second_.link().await_held(*entry, deadline_in(kPatience)));
}

TEST_F(TwoLinks, TellEachOtherOfWhatCame) {
  const auto entry = append();
  ASSERT_OK(entry);
  ASSERT_OK(first_.link().push(deadline_in(kPatience)));
  auto other =
      std::async(std::launch::async, [&] { return second_.link().await_held(*entry, deadline_in(kPatience)); });
  EXPECT_OK(first_.link().await_held(*entry, deadline_in(kPatience)));
  EXPECT_OK(other.get());
}

// What others that may not read an entry carry of it, as a member does who meets us before its author.
class StepFromElsewhere : public testing::Test {
 protected:
  StepFromElsewhere() {
    std::tie(here_link_, there_link_) = link_between(here_, there_);
    sends_.emplace(*here_link_, here_log_);
    receives_.emplace(*there_link_, there_log_);
    auto greeted = std::async(std::launch::async, [&] { return sends_->exchange_heads(deadline_in(kPatience)); });
    EXPECT_OK(receives_->exchange_heads(deadline_in(kPatience)));
    EXPECT_OK(greeted.get());
  }
  Result<mirror::EntryView> append(std::vector<std::string> audience) {
    return here_log_.append({.type = std::string(log::kHeads),
                             .session = {},
                             .refs = {},
                             .audience = std::move(audience),
                             .body = log::Json::Object{{"v", 1}}});
  }
  /// All that alpha has for bravo, by another way than the link.
  void carry(bool with_bodies) {
    const auto messages = here_log_.with([](mirror::Replica& replica) { return replica.to_send("bravo"); });
    ASSERT_OK(messages);
    for (const mirror::Message& message : *messages) {
      auto content = mirror::parse_message(charter_.charter.group, message);
      ASSERT_OK(content);
      if (auto* const push = std::get_if<mirror::Push>(&*content); push != nullptr && !with_bodies)
        push->bodies.clear();
      const auto carried = mirror::write_message(charter_.charter.group, *content);
      ASSERT_OK(carried);
      ASSERT_OK(
          there_log_.with([&](mirror::Replica& replica) { return replica.take("alpha", *carried, wall_clock_now()); }));
    }
  }
  /// Alpha names `step`. Bravo looks for it, and asks for what it has not found.
  std::future<Result<mirror::EntryView>> looked_for(const mirror::EntryView& step, std::chrono::milliseconds patience) {
    EXPECT_OK(here_link_->send(wire::FrameType::step, step.leaf_hash));
    auto received =
        std::async(std::launch::async, [this, patience] { return receives_->receive_step(deadline_in(patience)); });
    for (;;) {
      const auto frame = here_link_->receive(deadline_in(kPatience));
      EXPECT_OK(frame);
      if (!frame || mirror::message_type(static_cast<std::uint8_t>(frame->type)) == mirror::MessageType::get) break;
    }
    return received;
  }
  /// Alpha names `step`, and answers what is asked of it until bravo has received something.
  Result<mirror::EntryView> named(const mirror::EntryView& step, std::chrono::milliseconds patience) {
    EXPECT_OK(here_link_->send(wire::FrameType::step, step.leaf_hash));
    std::atomic<bool> done = false;
    std::thread answering([&] {
      while (!done) (void)sends_->wait_readable(deadline_in(std::chrono::milliseconds(20)));
    });
    auto received = receives_->receive_step(deadline_in(patience));
    done = true;
    answering.join();
    return received;
  }
  const TestMember alpha_{"alpha", material("alpha")}, bravo_{"bravo", material("bravo")};
  Opened here_{alpha_}, there_{bravo_};
  const group::SignedCharter charter_ = charter_of(here_, there_);
  group::JointLog& here_log_ = here_.log(charter_);
  group::JointLog& there_log_ = there_.log(charter_);
  std::unique_ptr<wire::Link> here_link_, there_link_;
  std::optional<group::LogLink> sends_, receives_;
};

TEST_F(StepFromElsewhere, IsTakenOnceItsAuthorGivesItsBody) {
  const auto step = append({"bravo"});
  ASSERT_OK(step);
  carry(false);
  const auto received = named(*step, kPatience);
  ASSERT_OK(received);
  EXPECT_EQ(received->leaf_hash, step->leaf_hash);
  EXPECT_EQ(received->body, step->body);
}

TEST_F(StepFromElsewhere, IsRefusedAtOnceIfItIsNotForUs) {
  const auto step = append({});
  ASSERT_OK(step);
  carry(false);
  const auto received = named(*step, kPatience);
  ASSERT_FALSE(received.has_value());
  EXPECT_EQ(received.error().code, Errc::protocol);
}

TEST_F(StepFromElsewhere, IsWaitedForNoLongerThanAStepMayTake) {
  const auto step = append({"bravo"});
  ASSERT_OK(step);
  carry(false);
  EXPECT_OK(here_link_->send(wire::FrameType::step, step->leaf_hash));  // and nothing after it
  EXPECT_FALSE(receives_->receive_step(deadline_in(std::chrono::milliseconds(200))).has_value());
}

TEST_F(StepFromElsewhere, IsTakenWhereItCameBeforeTheLinkThatNamedItEnded) {
  const auto step = append({"bravo"});
  ASSERT_OK(step);
  auto received = looked_for(*step, kPatience);
  carry(true);
  here_link_->shut_down();
  EXPECT_OK(received.get());
}

TEST_F(StepFromElsewhere, IsTakenWhereTheLinkThatNamedItBringsNothingMore) {
  const auto step = append({"bravo"});
  ASSERT_OK(step);
  auto received = looked_for(*step, kPatience);
  carry(true);
  EXPECT_OK(received.get());
}

TEST_F(StepFromElsewhere, IsGoneWithTheLinkThatNamedItWhereItCameByNone) {
  const auto step = append({"bravo"});
  ASSERT_OK(step);
  auto received = looked_for(*step, kPatience);
  here_link_->shut_down();
  const auto result = received.get();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::peer_gone);
}

}  // namespace
}  // namespace parley::session
