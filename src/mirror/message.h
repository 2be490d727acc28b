// What travels between replicas, as payloads of frames (docs/wire-format.md, "The joint log"). Each is u32be length and
// a PJ1 object, then its parts, each u32be length and bytes. What is read is what would be written, or it is refused.
#pragma once

#include <optional>
#include <variant>

#include "log/checkpoint.h"
#include "log/entry.h"

namespace parley::mirror {

/// The longest payload: a frame of 1 MiB counts its type too (log.md 3.1).
inline constexpr std::size_t kMaxMessageBytes = (1 << 20) - 1;
inline constexpr std::size_t kMaxMessageHeadBytes = 64 * 1024;
inline constexpr std::size_t kMaxPushLeaves = 1024;
/// The longest body of an entry that a replica takes: it travels in one message with its entry and a checkpoint.
inline constexpr std::size_t kMaxCarriedBodyBytes = 896 * 1024;

/// HEAD: all the logs that the sender holds anything of. A log that is not named is one it holds nothing of.
struct Heads {
  struct Log {
    std::string nick;        ///< whose log
    std::string checkpoint;  ///< the newest note, with all cosignatures that the sender knows
    bool operator==(const Log&) const = default;
  };
  std::vector<Log> logs;  ///< ascending by nick
  bool answer = false;    ///< the sender asks for the receiver's heads
  bool operator==(const Heads&) const = default;
};

/// PUSH: consecutive entries of one log, up to the checkpoint's size.
struct Push {
  struct EntryBody {
    std::uint64_t seq = 0;
    log::Body body;
    bool operator==(const EntryBody&) const = default;
  };
  std::string log;  ///< nick
  std::uint64_t from = 0;
  std::vector<std::string> leaves;  ///< entries from, from + 1, ...; 1 to kMaxPushLeaves
  std::vector<EntryBody> bodies;    ///< ascending by seq, of these entries
  std::string checkpoint;           ///< note of a tree of from + leaves.size() entries
  bool operator==(const Push&) const = default;
};

/// COSIG: a checkpoint of `log` with the sender's cosignature. Without one, to the log's owner before HEADS: the
/// largest that the sender was shown and has no entries of.
struct Cosig {
  std::string log;
  std::string checkpoint;  ///< note
  bool operator==(const Cosig&) const = default;
};

/// GET: asks for entries from, from + 1, ... (answered by PUSHes), for one body (BODY), or how the newest tree begins
/// (PROOF).
struct Get {
  enum class What : std::uint8_t { entries, body, prefix };
  What what = What::entries;
  std::string log;
  std::uint64_t from = 0;   ///< the first entry; the entry whose body is asked for; the size of the beginning
  std::uint64_t count = 1;  ///< of entries, at most; 1 for the others
  bool operator==(const Get&) const = default;
};

/// BODY: the body of one entry.
struct EntryBody {
  std::string log;
  std::uint64_t seq = 0;
  log::Body body;
  bool operator==(const EntryBody&) const = default;
};

/// PROOF: what the first `size` entries of the tree of `checkpoint` hash to (log::prefix_proof).
struct Proof {
  std::string log;
  std::uint64_t size = 0;
  std::vector<Digest> path;
  std::string checkpoint;  ///< note of a larger tree
  bool operator==(const Proof&) const = default;
};

using Content = std::variant<Heads, Push, Cosig, Get, EntryBody, Proof>;

/// The numbers of the frames that carry them, those of wire::FrameType (log.md 3.1). BODY has its own: in a session,
/// frames of type 8 are bytes that a step has announced.
enum class MessageType : std::uint8_t { push = 3, proof = 4, cosig = 5, heads = 6, get = 7, body = 14 };

/// What goes into one frame.
struct Message {
  MessageType type{};
  Bytes payload;
  bool operator==(const Message&) const = default;
};

/// Nothing for a frame that is no message of replicas.
std::optional<MessageType> message_type(std::uint8_t frame_type);

/// @param group  32 hexadecimal digits: a message is for the replicas of one group
/// Precondition: content within the limits above, except that what is longer than kMaxMessageBytes is an error.
/// @error Errc::limit
Result<Message> write_message(std::string_view group, const Content& content);

/// Nothing is verified yet: notes, entries and bodies are bytes within their limits.
/// @error Errc::format, Errc::limit; Errc::protocol if it is for another group
Result<Content> parse_message(std::string_view group, const Message& message);

/// The group of a message whose replica is not chosen yet. @error Errc::format, Errc::limit
Result<std::string> group_of(const Message& message);

}  // namespace parley::mirror
