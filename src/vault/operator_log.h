// The operator log as the vault keeps it (log.md 7.4): records and signatures are opaque here, operators/ makes and
// checks them.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace parley::vault {

struct OperatorRow {
  std::uint64_t seq = 0;
  std::string record;
  Bytes signature;
};

}  // namespace parley::vault
