// The reveals of one simulated member, as the session room conducts them (session/reveal.cpp): consents, offers to
// which both are bound before either is seen, and openings in turn, each as one message that discloses a field.
#pragma once

#include <deque>
#include <list>

#include "session/accounting.h"
#include "session/reveal.h"
#include "session/step.h"
#include "sim/dice.h"
#include "sim/disk.h"
#include "sim/fault.h"

namespace parley::sim {

class Node;

class Reveals {
 public:
  /// @param accounting  the member's ledger, which its sessions keep
  Reveals(Node& node, session::Accounting& accounting);

  /// Both agree on the result of a session that this member asked for: its operator may want more of it.
  void may_begin(const vault::SessionRow& row, std::size_t peer);
  /// @return whether it is a step of a reveal
  bool take_step(std::size_t peer, const mirror::EntryView& step);
  void take_opening(std::size_t peer, const std::string& session);
  void link_lost(std::size_t peer);
  void progress();
  bool needs(std::size_t peer) const;

 private:
  enum class Phase { consented, offered, opening, over };
  struct Talk {
    std::size_t number = 0;
    std::size_t peer = 0;
    std::string session;
    bool calls = false;  ///< consented first
    Phase phase = Phase::consented;
    session::RevealOffer ours, theirs;
    Digest their_commitment{};          ///< of their offer, in their consent; where they answer
    Digest our_offer{}, their_offer{};  ///< entries
    bool begins = false;
    std::uint64_t sent = 0, received = 0;
    std::uint64_t arrived_openings = 0;
    std::deque<mirror::EntryView> arrived;
  };

  Talk& begin(std::size_t peer, const std::string& session, bool calls);
  Talk* find(const std::string& session);
  Talk* find(std::size_t number);
  /// A reveal of a session can begin: both learned its matches and agree.
  const StoredSession* revealable(std::size_t peer, const std::string& session) const;
  session::RevealOffer draw_offer(const Talk& talk, const StoredSession& stored);
  void call(std::size_t peer, const std::string& session);
  void answer(std::size_t peer, const mirror::EntryView& consent);
  void go_on(Talk& talk);
  void consented(Talk& talk, const mirror::EntryView& consent);
  void offered(Talk& talk, const mirror::EntryView& offer);
  void open_in_turn(Talk& talk);
  Status open_one(Talk& talk);
  Result<mirror::EntryView> write(const Talk& talk, std::string_view type, log::Json body, std::vector<Digest> refs);
  Status write_and_name(const Talk& talk, std::string_view type, log::Json body, std::vector<Digest> refs);
  Result<std::string> first_to_open(const Talk& talk);
  void close(Talk& talk, std::string_view stopped);
  void wait(const Talk& talk);
  Digest label_of(const Talk& talk, bool ours) const;

  Node& node_;
  session::Accounting& accounting_;
  Dice dice_;
  std::list<Talk> talks_;
  std::size_t next_number_ = 0;
};

}  // namespace parley::sim
