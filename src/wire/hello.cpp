// Making and checking Hellos (docs/wire-format.md).
#include "wire/hello.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "log/note.h"

namespace parley::wire {
namespace {

constexpr std::string_view kHelloKind = "parley/hello/v1";
constexpr std::size_t kMaxNickBytes = 32;  // log.md 1.1

std::string_view role_of(Side side) {
  return side == Side::server ? "s" : "c";
}

}  // namespace

std::string make_hello(const LocalIdentity& us, Side our_side, std::string_view peer_nick, const Digest& exporter,
                       UnixSeconds now) {
  // No charter and no group yet: both are empty, and so is the list of ring links.
  const log::Json hello = log::Json::Object{{"charter", ""},
                                            {"exporter", to_base64(exporter)},
                                            {"from", us.nick},
                                            {"group", ""},
                                            {"ring", log::Json::Array{}},
                                            {"role", role_of(our_side)},
                                            {"time", now},
                                            {"to", peer_nick},
                                            {"v", 1}};
  return log::sign_object(kHelloKind, hello, us.node_key_name, us.node_seed);
}

Result<UnixSeconds> check_hello(std::string_view note, const PinnedPeer& peer, Side their_side, std::string_view our_nick,
                   const Digest& exporter) {
  TRY(const log::VerifierKey key, log::parse_vkey(peer.node_vkey));
  TRY(const log::Json hello, log::read_object(note, kHelloKind, key, kMaxHelloBytes));
  log::ObjectReader reader(hello, "the Hello");
  reader.text("charter", 0);
  const Bytes their_exporter = reader.bytes("exporter", exporter.size());
  const std::string from = reader.text("from", kMaxNickBytes);
  reader.text("group", 0);
  reader.array("ring", 0);
  const std::string role = reader.text("role", 1);
  const UnixSeconds time = reader.integer("time", 0, log::kMaxInteger);
  const std::string to = reader.text("to", kMaxNickBytes);
  reader.integer("v", 1, 1);
  TRY_STATUS(reader.finish());
  if (!constant_time_equal(their_exporter, exporter)) {
    return fail(Errc::protocol,
                "Its Hello was made for another connection: it is replayed, or somebody stands in between.");
  }
  if (role != role_of(their_side))
    return fail(Errc::protocol, "Its Hello is one of the wrong side: it may be our own sent back.");
  if (from != peer.nick || to != our_nick) {
    return fail(Errc::protocol, fmt::format("Its Hello is from \"{}\" to \"{}\"; it should be from \"{}\" to \"{}\".",
                                            visible(from), visible(to), peer.nick, our_nick));
  }
  return time;
}

}  // namespace parley::wire
