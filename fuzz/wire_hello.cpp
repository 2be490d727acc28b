// Hellos: from any bytes, and from any object that the pinned peer signed. What is taken is what make_hello() writes
// for this connection. An address that is taken is taken again as it is written.
#include "check.h"
#include "wire/address.h"
#include "wire/fixed_members.h"
#include "wire/hello.h"

namespace {

using namespace parley;

void check_canonical(std::string_view note, const wire::LocalIdentity& alpha) {
  const Digest exporter{};
  if (!wire::check_hello(note, wire::pinned(alpha), wire::Side::server, "bravo", exporter)) return;
  const auto object = log::read_object_unverified(*log::parse_note(note), "parley/hello/v1", wire::kMaxHelloBytes);
  const UnixSeconds time = *object->object()->at("time").integer();
  check(wire::make_hello(alpha, wire::Side::server, "bravo", exporter, time) == note);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz_text(data, size);
  const wire::LocalIdentity alpha = wire::fixed_member("alpha", 1);
  check_canonical(text, alpha);
  check_canonical(log::sign_note("parley/hello/v1\n" + std::string(text) + "\n", alpha.node_key_name, alpha.node_seed),
                  alpha);
  if (const auto address = wire::parse_address(text)) {
    const std::string host = address->host.contains(':') ? "[" + address->host + "]" : address->host;
    const auto again = wire::parse_address(host + ":" + address->port);
    check(again && again->host == address->host && again->port == address->port);
  }
  return 0;
}
