// The world of a simulation: virtual time, the members, the links between them, and what goes wrong. One thread; what
// happens next is what is due first, and of two that are due at once what was planned first.
#pragma once

#include <functional>
#include <queue>

#include "crypto/hash.h"
#include "sim/charter.h"
#include "sim/fault.h"
#include "sim/observer.h"
#include "sim/participant.h"

namespace parley::sim {

/// What is simulated.
struct Plan {
  std::uint64_t seed = 1;
  std::size_t nodes = 4;  ///< 2 to 16
  std::size_t sessions = 20;
  std::size_t faults = 200;   ///< drawn from the seed
  std::size_t rotations = 6;  ///< of keys, drawn besides
  /// Positions of those of them that happen; nothing: all.
  std::optional<std::vector<std::size_t>> only = std::nullopt;
  Flaw flaw = Flaw::none;  ///< of all members
  bool traces = false;     ///< keep a line for each event
};

/// Of virtual time, until the last fault.
Time duration_of(const Plan& plan);
FaultSource source_of(const Plan& plan);

struct Report {
  std::uint64_t events = 0;
  std::uint64_t frames = 0;
  Time duration = 0;                              ///< of virtual time
  std::map<FaultKind, std::uint64_t> faults;      ///< that took effect; of roles, each misdeed
  std::map<std::string, std::uint64_t> sessions;  ///< of honest askers, by the state they ended in
  std::uint64_t entries = 0;                      ///< in the logs of honest members
  std::uint64_t disclosures = 0;                  ///< messages that can disclose
  std::uint64_t openings = 0;                     ///< fields that left in reveals
  std::uint64_t convictions = 0;                  ///< of Byzantine members, by honest ones
  std::uint64_t restarts = 0;
  std::uint64_t risks_accepted = 0;  ///< by operators, since nobody knew what a disk had lost
  std::uint64_t rotations = 0;       ///< entries that rotate a key, in the logs of honest members
  std::uint64_t lost_keys = 0;       ///< of them, in the place of a key that went with a disk
  Digest trace{};                    ///< of all that happened
  std::optional<Violation> violation;
  std::vector<std::string> lines;  ///< if the plan traces

  std::uint64_t fault_count() const;
  std::uint64_t severe_count() const;  ///< of them, as is_severe() tells
  std::uint64_t session_count() const;
};

class World {
 public:
  explicit World(const Plan& plan);
  ~World();
  /// Lets all happen: sessions and faults, then five rounds without faults.
  Report run();

  // --- for participants
  Time now() const { return now_; }
  std::size_t count() const { return members_.size(); }
  const Member& member(std::size_t i) const { return members_[i]; }
  const std::vector<log::MemberKeys>& keys() const { return keys_; }
  const group::SignedCharter& charter() const { return charter_; }
  const std::string& nick(std::size_t i) const { return keys_[i].nick; }
  std::size_t position_of(std::string_view nick) const;
  std::int64_t clock_of(std::size_t i) const;
  /// Puts a frame onto the way, if there is a link.
  void send(std::size_t from, std::size_t to, Frame frame);
  /// Plans something.
  void after(Time wait, std::function<void()> what);
  /// A link comes up, if both run and can reach each other.
  void connect(std::size_t a, std::size_t b);
  void disconnect(std::size_t a, std::size_t b);
  bool is_linked(std::size_t a, std::size_t b) const;
  /// The process of a member has ended; it starts again after a while.
  void died(std::size_t i);
  /// A member that lies has done what it is there for.
  void misdeed(FaultKind role);
  bool is_calm() const { return calm_; }  ///< nothing goes wrong any more
  Observer& observer() { return *observer_; }
  /// What a member, and nobody else, draws from.
  Dice& dice(std::size_t i) { return node_dice_[i]; }
  const Plan& plan() const { return plan_; }
  Report& report() { return report_; }
  std::size_t answers_needed() const { return answers_needed_; }
  void trace(std::string_view what, ByteView bytes = {});

  // --- for the observer
  const Node* node(std::size_t i) const { return nodes_[i]; }  ///< nullptr for a Byzantine member
  bool is_honest(std::size_t i) const { return nodes_[i] != nullptr; }

 private:
  struct Event {
    Time at = 0;
    std::uint64_t order = 0;
    std::function<void()> what;
    bool operator<(const Event& other) const {
      return at != other.at ? at > other.at : order > other.order;  // the first is on top
    }
  };
  struct Link {
    bool up = false;
    std::uint64_t epoch = 0;  ///< of the connection: what was sent on one before does not arrive
    /// Of the frames of sessions in each direction, which TLS keeps in order: when the last of them arrives, and
    /// whether one was lost, so that none arrives any more.
    Time last_arrives[2] = {0, 0};
    bool is_stalled[2] = {false, false};
    Time cut_until[2] = {0, 0};
    Dice dice[2] = {Dice(0), Dice(0)};  ///< of the frames in each direction
  };
  struct Clock {
    std::int64_t jump_s = 0;
    std::int64_t drift_thousandths = 0;
    Time since = 0;  ///< the drift's beginning
  };

  Link& link(std::size_t a, std::size_t b) { return links_[std::min(a, b) * count() + std::max(a, b)]; }
  const Link& link(std::size_t a, std::size_t b) const { return links_[std::min(a, b) * count() + std::max(a, b)]; }
  Dice& frame_dice(std::size_t from, std::size_t to) { return link(from, to).dice[from < to ? 0 : 1]; }
  static std::size_t way(std::size_t from, std::size_t to) { return from < to ? 0 : 1; }
  Time& cut_until(std::size_t from, std::size_t to) { return link(from, to).cut_until[from < to ? 0 : 1]; }
  void plan_workload();
  void plan_faults();
  void inject(const Fault& fault);
  bool inject_into_network(const Fault& fault);
  void jump_clock(std::size_t node, std::int64_t seconds);
  bool inject_into_process(Node& node, const Fault& fault);
  bool inject_into_disk(Node& node, const Fault& fault);
  bool rot(Node& node);
  bool others_are_whole(std::size_t i) const;
  bool roll_back(Node& node, const Fault& fault);
  void count_fault(FaultKind kind) { ++report_.faults[kind]; }
  bool inject_into_person(Node& node, const Fault& fault);
  void rotate_key(const Fault& fault, int tries);
  /// What strikes the next frame that `from` sends, if it is one that can be struck so.
  std::optional<Fault> fault_for(std::size_t from, const Frame& frame);
  void ask(std::size_t asker, std::size_t responder, int tries);
  void gossip(std::size_t i);
  void deliver(std::size_t from, std::size_t to, std::uint64_t epoch, const Frame& frame);
  void lost_on(std::size_t a, std::size_t b);
  void run_until(Time end);
  void run_dry();
  void become_calm();
  void come_to_rest();
  void round(int number);
  void restart(std::size_t i);
  void restart_later(std::size_t i);
  bool failed() const { return report_.violation.has_value(); }

  Plan plan_;
  Dice dice_;
  Time now_ = 0;
  Time duration_ = 0;
  std::uint64_t planned_ = 0;
  std::priority_queue<Event> events_;
  std::vector<Member> members_;
  std::vector<log::MemberKeys> keys_;
  std::vector<std::unique_ptr<Participant>> participants_;
  std::vector<Node*> nodes_;      ///< the honest ones
  std::vector<Node*> processes_;  ///< and those that lie in their sessions only
  group::SignedCharter charter_;
  std::vector<Link> links_;
  std::vector<Clock> clocks_;
  std::vector<Dice> node_dice_;
  std::vector<Time> paused_until_;
  std::set<std::size_t> restarting_;
  std::set<std::size_t> lost_disks_;                         ///< whose disks do not come back before faults end
  std::map<std::size_t, std::vector<Fault>> on_next_frame_;  ///< by the sender
  std::unique_ptr<Observer> observer_;
  std::size_t answers_needed_ = 0;
  bool calm_ = false;
  crypto::Sha256 trace_;
  Report report_;
};

}  // namespace parley::sim
