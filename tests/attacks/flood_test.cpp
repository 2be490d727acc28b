// A member that floods a real node, by connections, frames, entries and questions: its memory stays under 512 MiB, and
// another member asks meanwhile and gets its answers.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/encoding.h"
#include "group/groups.h"
#include "mirror/message.h"
#include "node/doorman.h"
#include "support/member.h"
#include "wire/address.h"
#include "wire/link.h"

namespace parley::attacks {
namespace {

using program::Ended, program::Member, program::Node;

constexpr std::size_t kMostMegabytes = 512;  // log.md 9.4

/// The most memory that a process ever had, from /proc.
std::size_t peak_megabytes(pid_t process) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtoull(line.c_str() + 6, nullptr, 10) / 1024;
  return 0;
}

/// Bravo's keys, and a program of its own.
class Flooder {
 public:
  explicit Flooder(const Member& member) {
    auto vault = vault::Vault::open(member.home(), member.unlock());
    if (!vault) throw std::runtime_error(vault.error().text());
    auto loaded = group::load_member(member.home(), **vault);
    if (!loaded) throw std::runtime_error(loaded.error().text());
    identity_ = loaded->identity();
    peer_ = (*vault)->peers().value().at(0);
    group_ = (*vault)->groups().value().at(0).id;
    pin_ = group::pinned("alpha", *group::read_card(peer_.card));
  }
  Result<std::unique_ptr<wire::Link>> connect() const { return wire::connect(peer_.address, identity_, pin_); }
  /// As fast as it goes, until the link is closed or `stop`.
  void send_for(const std::atomic<bool>& stop, const std::function<wire::Frame(std::size_t)>& next) {
    while (!stop) {
      const auto link = connect();
      if (!link) {
        ++refused_;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        continue;
      }
      for (std::size_t i = 0; !stop; ++i) {
        const wire::Frame frame = next(i);
        if (!(*link)->send_until(frame.type, frame.payload, deadline_in(std::chrono::seconds(2)))) break;
        ++sent_;
      }
      ++closed_;
    }
  }
  const std::string& group() const { return group_; }
  const std::string& address() const { return peer_.address; }
  std::atomic<std::size_t> sent_ = 0, refused_ = 0, closed_ = 0;

 private:
  wire::LocalIdentity identity_;
  vault::Peer peer_;
  wire::PinnedPeer pin_;
  std::string group_;
};

class Flood : public testing::Test {
 protected:
  Flood() {
    alpha_.import(program::table({"domain,a.example", "ipv4,192.0.2.7"}));
    carol_.import(program::table({"domain,a.example", "ipv4,192.0.2.8"}));
    node_ = std::make_unique<Node>(alpha_);
    program::meet(alpha_, "bravo", bravo_, "127.0.0.1:1", "alpha", node_->address(), "with-bravo");
    program::meet(alpha_, "carol", carol_, "127.0.0.1:1", "alpha", node_->address(), "with-carol");
  }
  /// Carol asks while bravo floods by `next`, on four links.
  void expect_served_during(Flooder& flooder, const std::function<wire::Frame(std::size_t)>& next) {
    std::atomic<bool> stop = false;
    std::vector<std::thread> links;
    for (int i = 0; i < 4; ++i) links.emplace_back([&] { flooder.send_for(stop, next); });
    for (int i = 0; i < 3; ++i) {
      const Ended asked = carol_.run({"ask", "alpha", "--group", "with-carol", "--yes", "--json"});
      EXPECT_EQ(asked.code, 0) << asked.err;
      EXPECT_NE(asked.out.find("a.example"), std::string::npos) << asked.out;
    }
    stop = true;
    for (std::thread& link : links) link.join();
    EXPECT_GT(flooder.sent_, 0u);
    const std::size_t peak = peak_megabytes(node_->process().pid());
    EXPECT_GT(peak, 0u);
    EXPECT_LT(peak, kMostMegabytes);
    std::printf("  %zu frames sent, %zu links closed, %zu refused, peak %zu MiB\n", flooder.sent_.load(),
                flooder.closed_.load(), flooder.refused_.load(), peak);
  }

  Member alpha_{"Alpha CERT"}, bravo_{"Bravo CERT"}, carol_{"Carol CERT"};
  std::unique_ptr<Node> node_;
};

wire::Frame frame_of(const mirror::Message& message) {
  return {static_cast<wire::FrameType>(message.type), message.payload};
}

TEST_F(Flood, OfFramesAndGarbageOfEveryTypeLeavesTheNodeAtWork) {
  Flooder bravo(bravo_);
  const Bytes large(mirror::kMaxMessageBytes, std::byte{0x5a});
  const std::vector<wire::FrameType> types{
      wire::FrameType::push_leaves, wire::FrameType::proof,      wire::FrameType::cosig,    wire::FrameType::head,
      wire::FrameType::get,         wire::FrameType::entry_body, wire::FrameType::psi_data, wire::FrameType::step};
  expect_served_during(bravo, [&](std::size_t i) { return wire::Frame{types[i % types.size()], large}; });
}

TEST_F(Flood, OfQuestionsForLogsLeavesTheNodeAtWork) {
  Flooder bravo(bravo_);
  const auto get = mirror::write_message(
      bravo.group(), mirror::Get{.what = mirror::Get::What::entries, .log = "alpha-cert", .from = 0, .count = 1024});
  const auto heads = mirror::write_message(bravo.group(), mirror::Heads{{}, true});
  ASSERT_TRUE(get.has_value() && heads.has_value());
  expect_served_during(bravo, [&](std::size_t i) { return frame_of(i % 2 == 0 ? *heads : *get); });
}

// Members may share an address, behind one proxy for example.
TEST_F(Flood, OfLinksOfOneMemberLeavesTheNodeAtWorkForAnotherOnTheSameHost) {
  const Flooder bravo(bravo_);
  for (std::size_t i = 0; i < node::kMaxLinksPerPeerPerMinute + 2 * node::kMaxRefusalsPerMinute; ++i)
    (void)bravo.connect();
  const Ended asked = carol_.run({"ask", "alpha", "--group", "with-carol", "--yes"});
  EXPECT_EQ(asked.code, 0) << asked.err;
}

// A host has eight connections that are not finished (node/doorman.h), however many it opens; others are let in
// meanwhile.
TEST_F(Flood, OfConnectionsFromOneAddressLeavesTheNodeAtWorkForOthers) {
  const Flooder bravo(bravo_);
  const auto port = static_cast<std::uint16_t>(std::stoul(bravo.address().substr(bravo.address().find(':') + 1)));
  std::vector<FileDescriptor> open;
  for (int i = 0; i < 200; ++i) {
    FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in from{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(0x7f000002)}, .sin_zero = {}};
    const sockaddr_in to{
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(0x7f000001)}, .sin_zero = {}};
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from), 0);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0)
      open.push_back(std::move(socket));
  }
  EXPECT_GT(open.size(), 8u);
  for (int i = 0; i < 3; ++i) {
    const Ended asked = carol_.run({"ask", "alpha", "--group", "with-carol", "--yes"});
    EXPECT_EQ(asked.code, 0) << asked.err;
  }
  EXPECT_LT(peak_megabytes(node_->process().pid()), kMostMegabytes);
}

TEST_F(Flood, OfProposalsLeavesTheNodeAtWork) {
  std::atomic<bool> stop = false;
  std::atomic<std::size_t> asked_by_bravo = 0;
  std::vector<std::thread> askers;
  for (int i = 0; i < 3; ++i)
    askers.emplace_back([&] {
      while (!stop) {
        (void)bravo_.run({"ask", "alpha", "--group", "with-bravo", "--yes"});
        ++asked_by_bravo;
      }
    });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(carol_.run({"ask", "alpha", "--group", "with-carol", "--yes"}).code, 0);
  stop = true;
  for (std::thread& asker : askers) asker.join();
  const std::size_t peak = peak_megabytes(node_->process().pid());
  EXPECT_GT(peak, 0u);
  EXPECT_LT(peak, kMostMegabytes);
}

}  // namespace
}  // namespace parley::attacks
