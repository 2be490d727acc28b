// A member that lies: it writes its own log by hand, knows all that others send to it, and does one thing that it is
// there for (FaultKind). It mirrors nothing and cosigns nothing.
#pragma once

#include <set>

#include "sim/participant.h"

namespace parley::sim {

class Byzantine final : public Participant {
 public:
  /// @param fault  which role, whose, and when it does what it is there for
  Byzantine(World& world, const Fault& fault);

  bool runs() const override { return true; }
  void link_up(std::size_t peer) override;
  void link_down(std::size_t peer) override { linked_.erase(peer); }
  void receive(std::size_t peer, const Frame& frame) override;
  void ask(std::size_t) override {}  // it has no questions
  void tick() override;
  bool needs(std::size_t) const override { return false; }

 private:
  bool due() const;
  void write(std::string_view type, std::string session = {});
  void misdeed();
  void double_step();
  void frame_others();
  void replay(std::size_t peer);
  void garble(std::size_t peer);
  void show(std::size_t peer);
  void send(std::size_t peer, const mirror::Content& content);
  void send_heads(std::size_t peer, bool answer);
  const Branch& branch_for(std::size_t peer) const;
  bool is_favoured(std::size_t peer) const { return (favoured_ >> (peer % 16)) % 2 == 1; }

  World& world_;
  Fault fault_;
  Dice dice_;
  std::uint64_t favoured_;  ///< a bit for each peer: who gets the first of two branches, or anything at all
  Branch branch_, other_;
  bool done_ = false;
  std::set<std::size_t> linked_;
  std::map<std::size_t, std::uint64_t> shown_;             ///< by peer: entries of its branch
  std::vector<mirror::Message> heard_;                     ///< from others
  std::map<std::string, std::vector<std::string>> notes_;  ///< checkpoints of others, by nick
};

}  // namespace parley::sim
