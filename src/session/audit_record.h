// The record of one side's run: all that somebody else needs to run it again (psi.md 6.3; docs/audit.md, "The record").
// As bytes a row of frames, u8 kind || u64be length || content, in this order:
//
//   1 head      PJ1: session, side
//   2 secrets   seed || secret of all salts
//   3 elements  as they went into the run, padding included, one behind the other
//   4 sent      u16be type || u64be size || SHA-256 of the payload        } one for each message,
//   5 received  u16be type || payload                                     } in the order in which they passed
//   6 shares    our share of the result key || theirs                      where both were opened
#pragma once

#include <functional>
#include <optional>

#include "base/secret.h"
#include "psi/elements.h"
#include "psi/recording.h"
#include "session/input.h"

namespace parley::session {

/// Messages of one run. The largest sets have some thousand.
inline constexpr std::size_t kMaxRecordedMessages = 1 << 16;
/// Of one message: 32 bytes for each element of the largest set, or the largest matrix of the fast protocol.
inline constexpr std::uint64_t kMaxRecordedMessageBytes = std::uint64_t{1} << 30;

struct AuditRecord {
  struct Shares {
    Secret<32> ours, theirs;
  };
  std::string session;
  Side side = Side::asker;
  Secret<32> seed;
  Secret<32> salts;
  psi::Elements elements;
  std::vector<psi::RecordedMessage> messages;
  std::optional<Shares> shares;
};

/// Where a record's bytes come from, front to back.
struct RecordSource {
  std::function<Status(MutableByteView)> read_exactly;  ///< @error Errc::format where fewer are left
  std::function<Result<bool>()> at_end;
};

/// Takes what the functions below write and nothing else. Every length is held against its limit, and memory is taken
/// as bytes arrive. @error Errc::format, Errc::limit; what the source says
Result<AuditRecord> read_audit_record(const RecordSource& source);

/// Frames 1 to 3, in pieces of a mebibyte at most.
void record_beginning(std::string_view session, Side side, const Secret<32>& seed, const Secret<32>& salts,
                      const psi::Elements& elements, const std::function<void(ByteView)>& out);
/// Frame 4, or the beginning of frame 5, which the payload follows.
Bytes record_message(bool sent, psi::MessageType type, ByteView payload);
/// Frame 6.
SecretBytes record_shares(const Secret<32>& ours, const Secret<32>& theirs);

}  // namespace parley::session
