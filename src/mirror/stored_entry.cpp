#include "mirror/stored_entry.h"

#include <fmt/format.h>

#include "log/merkle.h"

namespace parley::mirror {

Result<log::Entry> stored_entry(std::string_view leaf, const Digest& hash, std::string_view owner, std::uint64_t seq) {
  auto entry = log::read_entry_unverified(leaf);
  if (entry && entry->seq == seq && entry->author == owner && log::leaf_hash(as_bytes(leaf)) == hash) return entry;
  return fail(Errc::vault_damaged, fmt::format("Entry {} of the log of {} does not read as it was written: parley log "
                                               "fsck says what else is damaged.",
                                               seq, owner));
}

}  // namespace parley::mirror
