// Alpha, a member of a group of three whose node does what it likes with its own log; bravo and carol run honest ones,
// over real vaults and real sockets.
#pragma once

#include "mirror/circle.h"
#include "support/log_members.h"
#include "support/process.h"

namespace parley::attacks {

using mirror::Branch, mirror::message_of;

class CheatingOwner : public testing::Test {
 protected:
  static constexpr std::size_t kAlpha = 0, kBravo = 1, kCarol = 2;

  CheatingOwner() {
    open();
    EXPECT_OK(bravo_->append("of bravo"));
    EXPECT_OK(carol_->append("of carol"));
    EXPECT_OK(meet(*bravo_, kCarol, *carol_).first);
    close();
    for (const std::size_t i : {kBravo, kCarol}) fresh_[i] = vault::contents(group_[i].folder());
    open();
  }
  void open() {
    bravo_.emplace(group_, kBravo);
    carol_.emplace(group_, kCarol);
    EXPECT_OK(meet(*bravo_, kCarol, *carol_).first);  // each is asked and answers: both are live
  }
  void close() {
    bravo_.reset();
    carol_.reset();
  }
  /// Both as they were before alpha began.
  void begin_again() {
    close();
    for (const std::size_t i : {kBravo, kCarol}) vault::restore(group_[i].folder(), fresh_[i]);
    open();
  }
  RunningLog& peer(std::size_t i) { return i == kBravo ? *bravo_ : *carol_; }

  /// Alpha's node says this to a member, and hangs up.
  void say(std::size_t to, const std::vector<mirror::Message>& messages) {
    wire::Listener listener;
    std::thread serving([&] { static_cast<void>(peer(to).serve(listener)); });
    {
      const auto link = wire::connect(listener.address(), group_[kAlpha].identity, group_.pin(to));
      EXPECT_OK(link);
      for (const mirror::Message& message : messages)
        static_cast<void>(link && (*link)->send(static_cast<wire::FrameType>(message.type), message.payload));
      static_cast<void>(link && (*link)->send(wire::FrameType::bye, {}));
      while (link && (*link)->receive(deadline_in(kPatience))) {
      }
    }
    serving.join();
  }
  /// Entries from `from` on, all in one push or one in each.
  std::vector<mirror::Message> pushes(const Branch& branch, std::size_t to, std::size_t from, bool one_by_one) const {
    std::vector<mirror::Message> messages;
    for (std::size_t end; from < branch.leaves.size(); from = end) {
      end = one_by_one ? from + 1 : branch.leaves.size();
      messages.push_back(message_of(branch.push(group_.nick(to), from, end)));
    }
    return messages;
  }
  std::uint64_t signed_for(std::size_t by) {
    return peer(by).with([&](mirror::Replica& replica) {
      std::uint64_t size = 0;
      while (replica.held_by(group_.nick(by), "alpha", size + 1)) ++size;
      return size;
    });
  }

  std::string members_file() const {
    std::string text;
    for (const log::MemberKeys& member : group_.keys)
      text += "member " + member.nick + " " + member.node.text() + " " + member.log.text() + " " +
              member.cosign.text() + "\n";
    return text;
  }
  /// What anybody without a vault says of a fault.
  program::Ended verify_fault(const std::string& fault) const {
    vault::write_whole(folder_ / "fault", as_bytes(fault));
    vault::write_whole(folder_ / "members", as_bytes(members_file()));
    return program::run(
        {.arguments = {"verify", "fault", "fault", "--members", "members"}, .working_folder = folder_.path()});
  }
  /// All who are honest hold alpha to have cheated, by a fault that verifies, and nobody else.
  /// @param by_program  the program is asked, too: a process for each
  void expect_convicted(bool by_program = true) {
    for (const std::size_t i : {kBravo, kCarol}) {
      const auto convictions = peer(i).convictions();
      ASSERT_EQ(convictions.size(), 1u) << group_.nick(i);
      EXPECT_EQ(convictions[0].accused, "alpha");
      EXPECT_OK(log::verify_fault(convictions[0].fault, group_.keys));
      if (!by_program) continue;
      const program::Ended verified = verify_fault(convictions[0].fault);
      EXPECT_EQ(verified.code, 0) << verified.err;
      EXPECT_NE(verified.out.find("against alpha"), std::string::npos) << verified.out;
    }
  }

  LogGroup group_{"alpha", "bravo", "carol"};
  std::optional<RunningLog> bravo_, carol_;
  std::map<std::size_t, std::map<std::string, Bytes>> fresh_;
  vault::TemporaryFolder folder_;
};

}  // namespace parley::attacks
