// The limits of the readers: what is larger, deeper or longer is refused before memory is taken for it. Where a number
// is a choice of ours, it stands far above the largest real file that we know of its kind; docs/formats.md has the
// table.
#pragma once

#include <cstddef>
#include <cstdint>

#include "indicator/indicator.h"

namespace parley::formats {

/// Read at once from a file. Ours: large enough that system calls do not show in a profile.
inline constexpr std::size_t kReadChunkBytes = std::size_t{256} << 10;
/// Looked at to find out a format and its columns. Ours: hundreds of rows.
inline constexpr std::size_t kHeadBytes = std::size_t{64} << 10;
/// A pipe cannot be read twice, so its content is held in memory. Ours.
inline constexpr std::size_t kMaxPipeBytes = std::size_t{256} << 20;

/// One line of a list. Ours: the longest canonical value (psi.md 0.2), percent-encoded and defanged, and a comment.
inline constexpr std::size_t kMaxLineBytes = 16 * indicator::kMaxValueBytes;
/// One CSV row. Ours: published files carry descriptions of some kB in quoted fields.
inline constexpr std::size_t kMaxCsvRowBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxCsvColumns = 512;

/// JSON and XML nesting. A STIX bundle or MISP event needs less than 16; simdjson and pugixml hold more.
inline constexpr std::size_t kMaxDepth = 128;
/// A JSON key. Ours: the longest of STIX and MISP has fewer than 64 bytes.
inline constexpr std::size_t kMaxJsonKeyBytes = 4096;
/// One object of a STIX bundle, held in memory. Ours: a report that refers to 200,000 objects has 12 MB.
inline constexpr std::size_t kMaxStixObjectBytes = std::size_t{16} << 20;
/// Names, markings, relationships and sightings of one bundle, held in memory between its two passes. Ours: some 400 MB.
inline constexpr std::size_t kMaxStixLinks = 2'000'000;
/// One MISP event, held in memory. Ours: an event of 100,000 attributes has about 60 MB.
inline constexpr std::size_t kMaxMispEventBytes = std::size_t{128} << 20;
/// Events of one feed. Ours: the largest public feeds have some thousands.
inline constexpr std::size_t kMaxFeedEvents = 1'000'000;

/// One STIX pattern, and how deep its parentheses go. Ours: exporters write at most some hundred comparisons.
inline constexpr std::size_t kMaxPatternBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxPatternDepth = 64;

/// An OpenIOC document, held in memory. Ours.
inline constexpr std::size_t kMaxOpenIocBytes = std::size_t{32} << 20;
/// A report, held in memory, and the text that a document may yield. Ours: a book has 1 MB of text.
inline constexpr std::size_t kMaxReportBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxDocumentTextBytes = std::size_t{32} << 20;
inline constexpr int kMaxPdfPages = 5000;
/// What the process that reads PDF and HTML may use. Ours: a 300-page report takes under 2 s and 100 MB.
inline constexpr std::uint64_t kMaxDocumentMemoryBytes = std::uint64_t{1} << 30;
inline constexpr unsigned kMaxDocumentSeconds = 15;

/// Labels of one record and the length of one: what a reveal can carry of a field (session/context_record.h), and a
/// name that still fits a screen line.
inline constexpr std::size_t kMaxLabels = 64;
inline constexpr std::size_t kMaxLabelBytes = 256;

/// A warning list file. Ours: the largest list of the MISP collection has 40 MB.
inline constexpr std::size_t kMaxWarningListBytes = std::size_t{128} << 20;

}  // namespace parley::formats
