// Reads STIX 2.0 and 2.1 bundles (OASIS Standard, 2021) and the envelopes of TAXII 2.1, object by object.
#pragma once

#include "formats/intake.h"
#include "formats/source.h"

namespace parley::formats {

/// Reads the bundle twice: first what says something about indicators (names, markings, relationships, sightings), then
/// the indicators and observables. @error Errc::format, Errc::limit with the line or JSON path
Status read_stix(Source& source, Intake& intake);

}  // namespace parley::formats
