// Two sessions with one peer, each on a link of its own: neither waits for what the other does not read.
#include <thread>

#include "support/session_parties.h"

namespace parley::session {
namespace {

/// A link to the other member, who takes what comes.
class Served {
 public:
  Served(Opened& here, Opened& there, group::JointLog& here_log, group::JointLog& there_log) {
    wire::Listener listener;
    auto accepting = std::async(std::launch::async, [&] {
      return wire::accept(listener.accept(), there.member.identity(), wire::only(here.pin()));
    });
    auto connected = wire::connect(listener.address(), here.member.identity(), there.pin());
    auto accepted = accepting.get();
    if (!connected || !accepted) throw std::runtime_error("no link");
    here_ = *std::move(connected);
    there_ = *std::move(accepted);
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

}  // namespace
}  // namespace parley::session
