// The record of one side's run: all that somebody else needs to run it again (psi.md 6.3; docs/audit.md, "The record").
// As bytes a row of frames, u8 kind || u64be length || content, in this order:
//
//   1 head      PJ1: session, side, types that entered by their tags
//   2 secrets   seed || secret of all salts
//   3 elements  as they were committed to, padding included, one behind the other, in the order of the run
//   7 tags      of those of these types, in the same order, 32 bytes each
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

/// What one side committed to, and what of it entered the run by its tag (session/element.h).
struct RecordedSet {
  psi::Elements elements;                ///< indicators and padding as committed to
  std::vector<indicator::Type> by_tags;  ///< ascending by name
  Bytes tags;                            ///< one for each element of these types, in order

  bool is_by_tag(ByteView element) const;
  /// The elements of the run, in order. Precondition: as many tags as elements of these types.
  psi::Elements entered() const;
};

struct AuditRecord {
  struct Shares {
    Secret<32> ours, theirs;
  };
  std::string session;
  Side side = Side::asker;
  Secret<32> seed;
  Secret<32> salts;
  RecordedSet set;
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

/// What comes before the messages, in pieces of a mebibyte at most. The set is that of RecordedSet.
void record_beginning(std::string_view session, Side side, const Secret<32>& seed, const Secret<32>& salts,
                      const psi::Elements& elements, std::span<const indicator::Type> by_tags, ByteView tags,
                      const std::function<void(ByteView)>& out);
/// Frame 4, or the beginning of frame 5, which the payload follows.
Bytes record_message(bool sent, psi::MessageType type, ByteView payload);
/// Frame 6.
SecretBytes record_shares(const Secret<32>& ours, const Secret<32>& theirs);

}  // namespace parley::session
