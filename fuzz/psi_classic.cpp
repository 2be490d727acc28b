// Both roles of the classic protocol against a peer that says anything (psi/protocol_peer.h).
#include "psi/protocol_peer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return parley::psi::fuzz_protocol(parley::psi::classic_protocol, data, size);
}
