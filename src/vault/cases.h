// Cases as the vault keeps them (evidence/case.h has what they mean): a name, the files that were taken into it, and
// the chain of custody as texts that evidence/ writes and checks.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"

namespace parley::vault {

struct CaseRow {
  std::string id;  ///< 32 hex digits
  std::string name;
  UnixSeconds made = 0;
};

struct CaseFileRow {
  std::uint64_t number = 0;  ///< in its case, from 1
  std::string file;          ///< id of the sealed file
  std::string name;          ///< as the file was called where it came from
  std::uint64_t size = 0;
  Digest sha256{};
  Digest root{};  ///< over its chunks of 1 MiB (evidence/chunk_tree.h)
};

}  // namespace parley::vault
