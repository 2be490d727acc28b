// The STIX 2.1 report of a verified finding (log.md 6.4), the same to the byte whoever makes it: ids come from hashes,
// times from the finding. The profile kStixProfile is this file; a change to it is another profile.
#pragma once

#include <string>

namespace parley::dossier {

struct Contents;

/// One bundle. Precondition: the finding, its charter, signatures and dissents were read.
std::string stix_bundle(const Contents& contents);

}  // namespace parley::dossier
