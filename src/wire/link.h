// One authenticated connection between two members: TLS 1.3 with pinned keys, frames, and both Hellos checked
// (log.md 3.1).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "psi/channel.h"

namespace parley::wire {

inline constexpr std::size_t kMaxFrameBytes = 1 << 20;  ///< payload and type, log.md 3.1
/// Of frames that arrived and nobody has received yet. Beyond it the rest is left to TCP, which slows the other side
/// down. So two sides that both send more than this without receiving wait for each other until one gives up.
inline constexpr std::size_t kMaxUnreadBytes = 8 << 20;
/// The most that let_run_ahead() adds to it, whatever is asked for.
inline constexpr std::size_t kMaxAheadBytes = 512 << 20;

/// Frame types of log.md 3.1, those of the joint log as mirror/message.h has them; and two of a session: `step` names
/// an entry of the sender's log, `opening` carries what is opened to the other side alone.
enum class FrameType : std::uint8_t {
  hello_s = 1,
  hello_c = 2,
  push_leaves = 3,
  proof = 4,
  cosig = 5,
  head = 6,
  get = 7,
  opening = 8,
  psi_data = 9,
  ping = 10,
  err = 11,
  bye = 12,
  step = 13,
  entry_body = 14,
  admission = 15,  ///< between an owner and a helper (admission/message.h)
};

struct Frame {
  FrameType type = FrameType::ping;
  Bytes payload;
};

/// What a node needs to prove who it is. Keys are raw Ed25519 (log.md 1.1).
struct LocalIdentity {
  std::string nick;
  std::string node_key_name;  ///< note key name of `node`
  Secret<32> node_seed;       ///< signs the Hello
  Secret<32> tls_seed;        ///< TLS CertificateVerify only
  LocalIdentity clone() const;
};

/// What a node knows of a peer: who must be at the other end.
struct PinnedPeer {
  std::string name;  ///< our name for it
  std::string nick;
  std::string node_vkey;
  ByteArray<32> tls_key;
};

/// A live link. One thread sends, one receives (they may be two). Destroying it closes the connection.
class Link {
 public:
  virtual ~Link() = default;
  virtual const PinnedPeer& peer() const = 0;
  virtual const Digest& exporter() const = 0;  ///< EXPORTER-parley-v1, 32 bytes: names this connection

  /// What the clock of the peer shows now, by its Hello. A claim.
  virtual UnixSeconds peer_time() const = 0;

  virtual Status send(FrameType type, ByteView payload) = 0;
  /// As send, but gives up at `deadline` with Errc::peer_gone; the link is of no use afterwards.
  virtual Status send_until(FrameType type, ByteView payload, Deadline deadline) = 0;
  /// Waits until `deadline` for the next frame; answers pings itself.
  /// @error Errc::peer_gone (closed, timed out), Errc::protocol (oversized, unknown type), that of close()
  virtual Result<Frame> receive(Deadline deadline) = 0;
  /// Waits until `deadline` for a frame that receive() would return at once; false when none came. Answers pings
  /// itself.
  /// @error as receive, except that time running out is no error here
  virtual Result<bool> wait_readable(Deadline deadline) = 0;

  /// As long as a thread waits in sending, the other side may be `bytes` (0: nothing) beyond kMaxUnreadBytes: for a
  /// protocol in which both sides send at once, and that knows how much. Until it is called again.
  virtual void let_run_ahead(std::size_t bytes) = 0;

  virtual std::uint64_t bytes_sent() const = 0;  ///< on the TCP connection, TLS records included
  virtual std::uint64_t bytes_received() const = 0;

  /// The round trip as TCP has measured it so far; zero where it has not.
  virtual std::chrono::microseconds round_trip() const = 0;

  /// From any thread: makes every waiting call return `why` and closes. Of two reasons the first holds.
  virtual void close(Error why) = 0;
  /// Because somebody here does not go on.
  void shut_down() { close({Errc::cancelled, "The connection was closed on this side.", {}}); }
};

/// Time limits of log.md 3.1; tests make them shorter.
struct Limits {
  std::chrono::milliseconds handshake = std::chrono::seconds(10);  ///< TCP, TLS and both Hellos together
  std::chrono::milliseconds idle = std::chrono::seconds(30);       ///< silence after which the other side is gone
  std::chrono::milliseconds ping = std::chrono::seconds(10);       ///< our own silence that a ping ends
  std::chrono::milliseconds send = std::chrono::minutes(5);        ///< for one frame that the other side does not take
};

/// Connects to `address` ("host:port"), where `peer` and nobody else must answer. Handshake and Hellos within 10 s.
/// @error Errc::peer_gone (nobody there), Errc::peer_unknown (someone else there), Errc::signature, Errc::protocol
Result<std::unique_ptr<Link>> connect(const std::string& address, const LocalIdentity& us, const PinnedPeer& peer,
                                      const Limits& limits = {});

/// Serves one accepted TCP connection: the same from the other side. `find_peer` looks up the pinned peer that owns a
/// TLS key, or nothing. @error as connect; the text says who was refused and why, fit for the node's log.
Result<std::unique_ptr<Link>> accept(
    FileDescriptor connection, const LocalIdentity& us,
    const std::function<std::optional<PinnedPeer>(const ByteArray<32>& tls_key)>& find_peer, const Limits& limits = {});

/// The peer link as a protocol's channel: messages chunked into PSI_DATA frames, each chunk headed by message type,
/// sequence number, suite and total length (decisions.md 1). `deadline` covers the whole run.
/// @param ahead_bytes  how much the peer may send that is not received while this side sends (Link::let_run_ahead)
std::unique_ptr<psi::Channel> psi_channel(Link& link, std::uint16_t suite, Deadline deadline, std::size_t ahead_bytes);

}  // namespace parley::wire
