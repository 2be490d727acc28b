#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "wire/frame.h"
#include "wire/two_members.h"

namespace parley::wire {
namespace {

using testing::HasSubstr;

/// The code of an error; Errc::internal where there was none, which no test here expects.
Errc code_of(const auto& result) {
  return result ? Errc::internal : result.error().code;
}

Deadline in_milliseconds(int count) {
  return deadline_in(std::chrono::milliseconds(count));
}

TEST(Link, JoinsTwoMembersThatKnowEachOther) {
  TwoMembers members;
  const auto [alpha, bravo] = members.links();
  EXPECT_EQ(alpha->peer().nick, "bravo");
  EXPECT_EQ(bravo->peer().nick, "alpha");
  EXPECT_EQ(alpha->exporter(), bravo->exporter());
  ASSERT_TRUE(bravo->send(FrameType::step, as_bytes("a question")).has_value());
  const auto question = alpha->receive(soon());
  ASSERT_TRUE(question.has_value()) << question.error().text();
  EXPECT_EQ(question->type, FrameType::step);
  EXPECT_EQ(as_text(question->payload), "a question");
  ASSERT_TRUE(alpha->send(FrameType::step, as_bytes("an answer")).has_value());
  EXPECT_EQ(as_text(bravo->receive(soon())->payload), "an answer");
}

TEST(Link, HasAnExporterOfItsOwn) {
  TwoMembers members;
  const auto first = members.links();
  const auto second = members.links();
  EXPECT_NE(first.alpha->exporter(), second.alpha->exporter());
}

TEST(Link, CarriesFramesOfEverySizeInOrder) {
  TwoMembers members;
  const auto [alpha, bravo] = members.links();
  const std::size_t sizes[] = {0, 1, 16'378, 16'379, 16'380, 16'384, 100'000, kMaxPayloadBytes};
  std::thread sender([&] {
    for (const std::size_t size : sizes)
      EXPECT_TRUE(bravo->send(FrameType::psi_data, Bytes(size, static_cast<std::byte>(size))).has_value());
  });
  for (const std::size_t size : sizes) {
    const auto frame = alpha->receive(soon());
    ASSERT_TRUE(frame.has_value()) << frame.error().text();
    EXPECT_EQ(frame->payload, Bytes(size, static_cast<std::byte>(size)));
  }
  sender.join();
}

TEST(Link, CountsEveryByteOnTheConnection) {
  TwoMembers members;
  const auto [alpha, bravo] = members.links();
  EXPECT_GT(alpha->bytes_sent(), 500u) << "the handshake counts";
  const std::uint64_t before = bravo->bytes_sent();
  ASSERT_TRUE(bravo->send(FrameType::psi_data, Bytes(100'000)).has_value());
  ASSERT_TRUE(alpha->receive(soon()).has_value());
  EXPECT_GT(bravo->bytes_sent() - before, 100'000u);
  EXPECT_LT(bravo->bytes_sent() - before, 101'000u);
  EXPECT_EQ(alpha->bytes_received(), bravo->bytes_sent());
}

TEST(Link, RefusesToSendMoreThanAFrame) {
  TwoMembers members;
  const auto [alpha, bravo] = members.links();
  EXPECT_FALSE(alpha->send(FrameType::psi_data, Bytes(kMaxPayloadBytes + 1)).has_value());
}

TEST(Link, SaysWhenNothingCameInTime) {
  TwoMembers members;
  const auto [alpha, bravo] = members.links();
  const auto frame = alpha->receive(in_milliseconds(20));
  ASSERT_FALSE(frame.has_value());
  EXPECT_EQ(frame.error().code, Errc::peer_gone);
  const auto readable = alpha->wait_readable(in_milliseconds(20));
  ASSERT_TRUE(readable.has_value());
  EXPECT_FALSE(*readable);
  ASSERT_TRUE(bravo->send(FrameType::step, {}).has_value());
  EXPECT_TRUE(*alpha->wait_readable(soon()));
  EXPECT_TRUE(alpha->receive(in_milliseconds(0)).has_value()) << "what is readable is received at once";
}

TEST(Link, IsShutDownFromAnotherThread) {
  TwoMembers members;
  const auto [alpha, bravo] = members.links();
  auto receiving = std::async(std::launch::async, [&] { return code_of(alpha->receive(soon())); });
  auto waiting = std::async(std::launch::async, [&] { return code_of(alpha->wait_readable(soon())); });
  alpha->shut_down();
  EXPECT_EQ(receiving.get(), Errc::cancelled);
  EXPECT_EQ(waiting.get(), Errc::cancelled);
  EXPECT_EQ(code_of(alpha->receive(soon())), Errc::cancelled) << "and stays so";
  EXPECT_EQ(code_of(alpha->send(FrameType::step, {})), Errc::cancelled);
  EXPECT_EQ(code_of(bravo->receive(soon())), Errc::peer_gone);
}

TEST(Link, SaysWhyItWasClosedAndGoesByTheFirstReason) {
  TwoMembers members;
  const auto [alpha, bravo] = members.links();
  auto receiving = std::async(std::launch::async, [&] { return alpha->receive(soon()); });
  alpha->close({Errc::peer_gone, "It has replaced its key.", {}});
  alpha->shut_down();
  const auto received = receiving.get();
  ASSERT_FALSE(received);
  EXPECT_EQ(received.error().code, Errc::peer_gone);
  EXPECT_EQ(received.error().message, "It has replaced its key.");
  EXPECT_EQ(code_of(alpha->send(FrameType::step, {})), Errc::peer_gone) << "and stays so";
}

TEST(Link, ThatWaitsToSendIsShutDownToo) {
  TwoMembers members;
  const auto [alpha, bravo] = members.links();
  auto sending = std::async(std::launch::async, [&]() -> Status {
    const Bytes payload(kMaxPayloadBytes);
    for (;;) TRY_STATUS(alpha->send(FrameType::psi_data, payload));  // bravo takes nothing
  });
  while (alpha->bytes_sent() < (1 << 20)) std::this_thread::yield();
  alpha->shut_down();
  EXPECT_EQ(code_of(sending.get()), Errc::cancelled);
}

TEST(Link, GivesUpSendingAtItsDeadline) {
  TwoMembers members;
  const auto [alpha, bravo] = members.links();
  const Bytes payload(kMaxPayloadBytes);
  Status sent;
  const Deadline deadline = in_milliseconds(500);
  while (sent) sent = alpha->send_until(FrameType::psi_data, payload, deadline);
  EXPECT_EQ(sent.error().code, Errc::peer_gone);
}

/// How much alpha has read of a peer that sends and sends, while alpha itself is stuck in sending to it.
std::uint64_t read_while_stuck(std::size_t ahead_bytes) {
  TwoMembers members;
  const auto [alpha, bravo] = members.links();
  alpha->let_run_ahead(ahead_bytes);
  const auto flood = [](Link& link) {
    const Bytes payload(kMaxPayloadBytes);
    const Deadline end = deadline_in(std::chrono::milliseconds(1500));
    while (link.send_until(FrameType::psi_data, payload, end)) continue;
  };
  auto ours = std::async(std::launch::async, [&] { flood(*alpha); });
  flood(*bravo);
  ours.get();
  return alpha->bytes_received();
}

TEST(Link, KeepsNoMoreOfAFloodWhileItIsStuckInSending) {
  EXPECT_LT(read_while_stuck(0), kMaxUnreadBytes + 2 * kMaxFrameBytes);
}

TEST(Link, LetsThePeerRunAheadByWhatIsAllowedAndNoMore) {
  constexpr std::size_t kAhead = 16 << 20;
  const std::uint64_t read = read_while_stuck(kAhead);
  EXPECT_GT(read, kMaxUnreadBytes + kAhead - 2 * kMaxFrameBytes);
  EXPECT_LT(read, kMaxUnreadBytes + kAhead + 2 * kMaxFrameBytes);
}

TEST(Link, DeliversWhatWasSentBeforeItWasClosed) {
  TwoMembers members;
  for (int i = 0; i < 20; ++i) {
    auto [alpha, bravo] = members.links();
    // alpha has unread bytes when it closes; they must not destroy what it sent last.
    ASSERT_TRUE(bravo->send(FrameType::psi_data, Bytes(200'000)).has_value());
    ASSERT_TRUE(alpha->send(FrameType::step, as_bytes("the result")).has_value());
    ASSERT_TRUE(alpha->send(FrameType::bye, {}).has_value());
    alpha.reset();
    const auto result = bravo->receive(soon());
    ASSERT_TRUE(result.has_value()) << result.error().text();
    EXPECT_EQ(as_text(result->payload), "the result");
    EXPECT_EQ(bravo->receive(soon())->type, FrameType::bye);
    const auto end = bravo->receive(soon());
    ASSERT_FALSE(end.has_value());
    EXPECT_EQ(end.error().code, Errc::peer_gone);
  }
}

TEST(Link, WhoseOtherEndIsGoneFailsWithoutASignal) {
  TwoMembers members;
  auto [alpha, bravo] = members.links();
  bravo.reset();
  Status sent;
  while (sent) sent = alpha->send(FrameType::psi_data, Bytes(100'000));
  EXPECT_EQ(sent.error().code, Errc::peer_gone);
}

TEST(Link, TellsItsReaderThatThePeerIsBusy) {
  TwoMembers members;
  const auto [alpha, bravo] = members.links();
  ASSERT_TRUE(alpha->send(FrameType::err, as_bytes("busy")).has_value());
  EXPECT_EQ(code_of(bravo->receive(soon())), Errc::refused);
}

TEST(Link, ShowsAnErrorCodeOfThePeerSafely) {
  TwoMembers members;
  const auto [alpha, bravo] = members.links();
  ASSERT_TRUE(alpha->send(FrameType::err, as_bytes("\x1b[2J" + std::string(1000, 'x'))).has_value());
  const auto end = bravo->receive(soon());
  ASSERT_FALSE(end.has_value());
  EXPECT_THAT(end.error().message, HasSubstr("\\x1b[2J"));
  EXPECT_LT(end.error().message.size(), 200u);
}

TEST(Link, StaysAliveByPingsWhileNobodySpeaks) {
  TwoMembers members;
  const Limits limits{.idle = std::chrono::milliseconds(300), .ping = std::chrono::milliseconds(50)};
  const auto [alpha, bravo] = members.links(limits);
  EXPECT_FALSE(*alpha->wait_readable(in_milliseconds(1200))) << "pings are not given to the reader";
  ASSERT_TRUE(bravo->send(FrameType::step, {}).has_value());
  EXPECT_TRUE(alpha->receive(soon()).has_value());
}

TEST(Link, ToASilentPeerIsClosed) {
  TwoMembers members;
  auto served = members.serve({.idle = std::chrono::milliseconds(200)});
  const auto bravo = connect(members.listener.address(), members.bravo, pin(members.alpha));  // pings every 10 s only
  ASSERT_TRUE(bravo.has_value());
  const auto alpha = served.get();
  const auto end = (*alpha)->receive(soon());
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().code, Errc::peer_gone);
  EXPECT_THAT(end.error().message, HasSubstr("Nothing was heard"));
}

/// Under ThreadSanitizer everything takes many times as long; what is short against a limit stays so.
#if defined(__SANITIZE_THREAD__)
#define PARLEY_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PARLEY_THREAD_SANITIZER 1
#endif
#endif
#ifdef PARLEY_THREAD_SANITIZER
constexpr int kSlowness = 10;
#else
constexpr int kSlowness = 1;
#endif

TEST(Link, StaysAliveWhileTheReaderIsBusyAndItsQueueIsFull) {
  TwoMembers members;
  const Limits limits{.idle = std::chrono::milliseconds(400 * kSlowness), .ping = std::chrono::milliseconds(50)};
  const auto [alpha, bravo] = members.links(limits);
  std::thread sender([&] {
    for (int i = 0; i < 40; ++i) EXPECT_TRUE(bravo->send(FrameType::psi_data, Bytes(kMaxPayloadBytes)).has_value());
  });
  // alpha computes and reads nothing for three times as long as silence is allowed.
  const auto nothing = bravo->receive(in_milliseconds(1200 * kSlowness));
  EXPECT_THAT(nothing.error().message, HasSubstr("did not answer in time"));
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(alpha->receive(soon()).has_value()) << i;
  sender.join();
}

TEST(Link, SlowsDownAFloodOfControlFrames) {
  TwoMembers members;
  const auto [alpha, bravo] = members.links();
  constexpr int kFrames = 64 + 32;  // a second's worth at once, then half a second's
  const auto start = Monotonic::now();
  for (int i = 0; i < kFrames; ++i) ASSERT_TRUE(bravo->send(FrameType::step, {}).has_value());
  for (int i = 0; i < kFrames; ++i) ASSERT_TRUE(alpha->receive(soon()).has_value());
  EXPECT_GE(Monotonic::now() - start, std::chrono::milliseconds(400));
}

TEST(Connect, RefusesWhoeverElseAnswers) {
  TwoMembers members;
  auto served = members.serve();
  const LocalIdentity carol = make_identity("carol");
  const auto link = connect(members.listener.address(), members.bravo, pin(carol));
  ASSERT_FALSE(link.has_value());
  EXPECT_EQ(link.error().code, Errc::peer_unknown);
  EXPECT_THAT(link.error().text(), HasSubstr("Somebody else answers"));
  EXPECT_FALSE(served.get().has_value());
}

TEST(Connect, TellsThatTheOtherSideDoesNotKnowUs) {
  TwoMembers members;
  auto served = members.serve();
  const LocalIdentity carol = make_identity("carol");
  const auto link = connect(members.listener.address(), carol, pin(members.alpha));
  ASSERT_FALSE(link.has_value());
  EXPECT_EQ(link.error().code, Errc::refused);
  EXPECT_THAT(link.error().text(), HasSubstr("peer add"));
  EXPECT_EQ(code_of(served.get()), Errc::peer_unknown);
}

TEST(Connect, RefusesANodeWhoseHelloIsSignedByAnotherKey) {
  TwoMembers members;
  auto served = members.serve();
  PinnedPeer pinned = pin(members.alpha);
  pinned.node_vkey = pin(make_identity("alpha")).node_vkey;
  const auto link = connect(members.listener.address(), members.bravo, pinned);
  ASSERT_FALSE(link.has_value());
  EXPECT_EQ(link.error().code, Errc::signature);
  EXPECT_FALSE(served.get().has_value());
}

TEST(Connect, GivesUpOnAServerThatNeverSpeaks) {
  TwoMembers members;
  auto silent = std::async(std::launch::async, [&] { return members.listener.accept(); });
  const auto start = Monotonic::now();
  const auto link = connect(members.listener.address(), members.bravo, pin(members.alpha),
                            {.handshake = std::chrono::milliseconds(200)});
  ASSERT_FALSE(link.has_value());
  EXPECT_EQ(link.error().code, Errc::peer_gone);
  EXPECT_LT(Monotonic::now() - start, std::chrono::seconds(5));
}

TEST(Connect, SaysThatAWebServerIsNoNode) {
  TwoMembers members;
  auto web = std::async(std::launch::async, [&] {
    const FileDescriptor socket = members.listener.accept();
    constexpr std::string_view kAnswer = "HTTP/1.1 400 Bad Request\r\n\r\n";
    static_cast<void>(::send(socket.get(), kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL));
    std::byte rest[4096];
    while (::recv(socket.get(), rest, sizeof rest, 0) > 0) continue;
  });
  const auto link = connect(members.listener.address(), members.bravo, pin(members.alpha));
  ASSERT_FALSE(link.has_value());
  EXPECT_EQ(link.error().code, Errc::protocol);
  EXPECT_THAT(link.error().text(), HasSubstr("HTTP/1.1 400"));
}

}  // namespace
}  // namespace parley::wire
