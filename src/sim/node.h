// An honest member: a process that can end at any moment, and the disk that is left. What it runs is the program's own
// replica; around it stands what the node does with one (group/joint_log.h), as events.
#pragma once

#include <deque>

#include "group/membership.h"
#include "group/peer_clocks.h"
#include "sim/participant.h"
#include "sim/sessions.h"

namespace parley::sim {

class Node final : public Participant {
 public:
  /// @param role  of one that lies in its sessions, and in nothing else
  Node(World& world, std::size_t self, std::optional<Fault> role = std::nullopt);
  ~Node() override;

  // --- Participant
  bool runs() const override { return replica_ != nullptr; }
  void link_up(std::size_t peer) override;
  void link_down(std::size_t peer) override;
  void receive(std::size_t peer, const Frame& frame) override;
  void ask(std::size_t peer) override;
  void tick() override;
  bool needs(std::size_t peer) const override { return sessions_ && sessions_->needs(peer); }

  // --- the process
  /// Opens the replica; false if the disk does not let it.
  bool start();
  /// Why it did not, the last time that it was to.
  const std::string& refusal() const { return refusal_; }
  void crash();
  /// Does something as the process: what it sends goes out after it, and the process may end of it.
  void act(const std::function<void()>& what);
  void operator_accepts_risk();
  void arm_kill_before_send() { dies_before_sending_ = true; }
  bool operator_stops() { return sessions_ && sessions_->operator_stops(); }
  /// A key is replaced, as parley group rotate does it; false if that cannot be now.
  bool operator_rotates(const Replacement& replacement);
  /// The same for each key in use that went with the disk: its operator says that it is lost.
  void operator_replaces_lost_keys();
  /// Of its own policy: no sessions until further notice.
  void set_paused(bool paused) { policy_.paused = paused; }
  bool is_paused() const { return policy_.paused; }

  // --- for its sessions and the observer
  std::size_t self() const { return self_; }
  World& world() { return world_; }
  Disk& disk() { return disk_; }
  const Disk& disk() const { return disk_; }
  SimulatedGuard& guard() { return guard_; }
  const SimulatedGuard& guard() const { return guard_; }
  mirror::Replica& replica() { return *replica_; }
  const mirror::Replica& replica() const { return *replica_; }
  bool is_live() const { return replica_ && replica_->state() == mirror::State::live; }
  /// The group as it stands for this member now.
  group::Membership membership() const;
  /// As JointLog::time(): by our clock, as far as those that were heard let it be trusted.
  UnixSeconds time();
  bool has_heard(std::size_t peer) const { return heard_.contains(peer); }
  Result<mirror::EntryView> append(mirror::Draft draft, const std::function<Status(const mirror::EntryView&)>& work);
  /// Writes rows that `rows` puts, beside the log. A disk that fails ends the process.
  Status save(const std::function<void()>& rows);
  void append_later(mirror::Draft draft, std::function<Status(const mirror::EntryView&)> work);
  void send(std::size_t peer, Frame frame);
  /// The ledger up to what the logs have on the disk.
  Status read_logs(session::Accounting& accounting);
  /// Seeds of keys that took the place of this member's first ones, as far as its disk has them.
  std::vector<Secret<32>> rotated_seeds() const;
  /// Sends what the replica has for a peer.
  void push(std::size_t peer);
  std::uint64_t incarnation() const { return incarnation_; }
  /// A row may be wrong: it is looked for until none is.
  bool may_have_rotted = false;

 private:
  struct Waiting {
    mirror::Draft draft;
    std::function<Status(const mirror::EntryView&)> work;
  };
  Status flush();
  void report_what_was_not();
  bool is_sound();
  Result<mirror::EntryView> write(const mirror::Draft& draft,
                                  const std::function<Status(const mirror::EntryView&)>& work);
  Result<mirror::EntryView> rotate(const Replacement& replacement);
  Result<mirror::EntryView> traced(std::string_view type, std::string_view session, Result<mirror::EntryView> written);
  bool lacks_a_key() const;
  void take(std::size_t peer, const mirror::Message& message);

  World& world_;
  std::size_t self_;
  std::optional<Fault> role_;
  group::LocalPolicy policy_;
  Disk disk_;
  SimulatedGuard guard_;
  std::unique_ptr<mirror::Replica> replica_;
  std::unique_ptr<Sessions> sessions_;
  std::optional<group::PeerClocks> clocks_;
  std::set<std::size_t> heard_;  ///< peers whose heads have come on the link that is up
  std::deque<Waiting> waiting_;
  std::uint64_t incarnation_ = 0;
  std::string refusal_;
  bool dies_before_sending_ = false;
  bool must_end_ = false;
};

}  // namespace parley::sim
