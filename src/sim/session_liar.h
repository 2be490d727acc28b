// A member that keeps its log as it should and lies in its sessions: a real node's process with one behaviour changed
// (FaultKind from aborter on).
#pragma once

#include "sim/sessions.h"

namespace parley::sim {

class SessionLiar final : public Sessions {
 public:
  /// @param fault  which role, whose, and from when on
  SessionLiar(Node& node, const Fault& fault);
  void tick() override;

 private:
  void name(const Talk& talk, const mirror::EntryView& step) override;
  Status check_permitted(const Talk& talk, const Digest& their_charter) override;
  std::uint64_t padded_for(const Talk& talk) override;
  session::ResultStep result_of(const Talk& talk) override;
  std::uint64_t probe_items_of(const Talk& talk) override;
  void commit(Talk& talk) override;
  void run(Talk& talk) override;
  void disclose(Talk& talk) override;
  void record(Talk& talk) override;
  void compare(Talk& talk) override;

  bool plays(FaultKind role);
  void misdeed();
  void take_early(Talk& talk, std::string_view type);

  Fault fault_;
  Dice dice_;
  std::vector<std::pair<std::size_t, Digest>> named_before_;  ///< to whom, and which step
};

}  // namespace parley::sim
