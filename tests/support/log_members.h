// Members of a group as far as their nodes keep the joint log: a real vault, a real guard beside it, and links over
// real sockets. What a node does besides is left out.
#pragma once

#include <gmock/gmock.h>

#include <thread>

#include "base/clock.h"
#include "group/joint_log.h"
#include "log/member.h"
#include "mirror/message.h"
#include "vault/testing.h"
#include "wire/two_members.h"

namespace parley::attacks {

using vault::fails, vault::succeeds, vault::why;  // of ASSERT_OK and its like

inline const std::string kGroup = "7d1f3c907d1f3c907d1f3c907d1f3c90";
inline const std::chrono::seconds kPatience{30};

/// A member's keys and its folder: what is there while its node does not run.
struct LogHome {
  explicit LogHome(const std::string& nick) : keys(nick), identity(wire::make_identity(nick)) {}
  const std::filesystem::path& folder() const { return vault.folder().path(); }
  std::filesystem::path guard() const { return folder() / ("log-head-" + kGroup); }

  log::TestMember keys;
  wire::LocalIdentity identity;
  vault::TestVault vault;
};

/// All members, in the order of their nicks.
class LogGroup {
 public:
  explicit LogGroup(std::initializer_list<std::string> nicks) {
    for (const std::string& nick : nicks) homes_.push_back(std::make_unique<LogHome>(nick));
    for (const auto& home : homes_) keys.push_back(home->keys.keys);
  }
  std::size_t count() const { return homes_.size(); }
  const LogHome& operator[](std::size_t i) const { return *homes_[i]; }
  const std::string& nick(std::size_t i) const { return keys[i].nick; }
  mirror::GroupView view(std::size_t self) const {
    return {.id = kGroup, .members = keys, .self = self, .charter = {}};
  }
  wire::FindPeer members_but(std::size_t self) const {
    return [this, self](const ByteArray<32>& key) -> std::optional<wire::PinnedPeer> {
      for (std::size_t i = 0; i < homes_.size(); ++i) {
        const wire::PinnedPeer peer = pin(i);
        if (i != self && peer.tls_key == key) return peer;
      }
      return std::nullopt;
    };
  }
  wire::PinnedPeer pin(std::size_t i) const { return wire::pin(homes_[i]->identity); }

  std::vector<log::MemberKeys> keys;

 private:
  std::vector<std::unique_ptr<LogHome>> homes_;
};

/// A member at work: its vault is open.
class RunningLog {
 public:
  RunningLog(const LogGroup& group, std::size_t self) : group_(group), self_(self), vault_(group[self].vault.open()) {}

  group::JointLog& operator*() { return log_; }
  group::JointLog* operator->() { return &log_; }
  vault::Vault& vault() { return *vault_; }
  template <typename Work>
  auto with(Work&& work) {
    return log_.with(std::forward<Work>(work));
  }
  mirror::State state() {
    return with([](mirror::Replica& replica) { return replica.state(); });
  }
  std::uint64_t size(const std::string& nick) {
    return with([&](mirror::Replica& replica) { return replica.size(nick); });
  }
  std::vector<mirror::Defect> fsck() {
    const auto defects = with([](mirror::Replica& replica) { return replica.fsck(); });
    EXPECT_OK(defects);
    return defects ? *defects : std::vector<mirror::Defect>{};
  }
  std::vector<mirror::Conviction> convictions() {
    return with([](mirror::Replica& replica) { return replica.convictions(); });
  }
  /// The beginnings of the leaf hashes of a log as it is held here.
  std::vector<std::string> leaves(const std::string& nick) {
    std::vector<std::string> hashes;
    with([&](mirror::Replica& replica) {
      for (std::uint64_t seq = 0; seq < replica.size(nick); ++seq) {
        const auto entry = replica.entry(nick, seq);
        EXPECT_OK(entry);
        if (entry) hashes.push_back(to_hex(entry->leaf_hash).substr(0, 16));
      }
    });
    return hashes;
  }
  /// How often an entry with this label stands in the own log.
  std::size_t times(const std::string& label) {
    return with([&](mirror::Replica& replica) {
      std::size_t found = 0;
      for (std::uint64_t seq = 0; seq < replica.size(group_.nick(self_)); ++seq) {
        const auto entry = replica.entry(group_.nick(self_), seq);
        found += entry && entry->body && *entry->body == body(label) ? 1 : 0;
      }
      return found;
    });
  }
  static log::Json body(const std::string& label) { return log::Json::Object{{"label", label}, {"v", 1}}; }
  Result<mirror::EntryView> append(const std::string& label) {
    return log_.append(
        {.type = std::string(log::kHeads), .session = {}, .refs = {}, .audience = {"*"}, .body = body(label)});
  }

  /// Calls on a member and does `talk` with it.
  Status call(
      const std::string& address, std::size_t peer,
      const std::function<Status(group::LogLink&)>& talk = [](group::LogLink&) { return Status{}; }) {
    TRY(const auto link, wire::connect(address, group_[self_].identity, group_.pin(peer)));
    group::LogLink log_link(*link, log_);
    TRY_STATUS(log_link.synchronise(deadline_in(kPatience)));
    TRY_STATUS(talk(log_link));
    return log_link.send(wire::FrameType::bye, {});
  }
  /// Serves one call as a node does: takes what comes until the caller leaves.
  Status serve(wire::Listener& listener) {
    TRY(const auto link, wire::accept(listener.accept(), group_[self_].identity, group_.members_but(self_)));
    group::LogLink log_link(*link, log_);
    const auto last = log_link.receive(deadline_in(kPatience));
    TRY_STATUS(with([](mirror::Replica& replica) { return replica.flush(); }));
    if (!last) return std::unexpected(last.error());
    return last->type == wire::FrameType::bye ? Status{} : Status(fail(Errc::protocol, "It did not say bye."));
  }

 private:
  group::OpenReplica open() {
    const log::TestMember& keys = group_[self_].keys;
    auto replica = group::open_replica(*vault_, group_[self_].folder(), group_.view(self_),
                                       mirror::OwnSeeds{keys.node.clone(), keys.log.clone(), keys.cosign.clone()});
    if (!replica) throw std::runtime_error(replica.error().text());
    return std::move(*replica);
  }

  const LogGroup& group_;
  std::size_t self_;
  std::unique_ptr<vault::Vault> vault_;
  group::JointLog log_{kGroup, group_.nick(self_), log::Json::Object{{"v", 1}}, open()};
};

/// One calls on the other, in this process.
/// @return what the call and what the serving came to
inline std::pair<Status, Status> meet(
    RunningLog& caller, std::size_t called_number, RunningLog& called,
    const std::function<Status(group::LogLink&)>& talk = [](group::LogLink&) { return Status{}; }) {
  wire::Listener listener;
  Status served;
  std::thread serving([&] { served = called.serve(listener); });
  Status done = caller.call(listener.address(), called_number, talk);
  serving.join();
  return {std::move(done), std::move(served)};
}

}  // namespace parley::attacks
