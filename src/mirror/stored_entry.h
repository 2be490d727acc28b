// Reading one entry of a log as it is stored: a disk may give another row than the one that is asked for, or what has
// become of it.
#pragma once

#include "log/entry.h"

namespace parley::mirror {

/// The entry `seq` of the log of `owner` (nick) in a row that holds `leaf`. @param hash  that it must have
/// @error Errc::vault_damaged
Result<log::Entry> stored_entry(std::string_view leaf, const Digest& hash, std::string_view owner, std::uint64_t seq);

}  // namespace parley::mirror
