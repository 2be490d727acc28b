// Lists of plain facts that extraction needs: sites that reports refer to, words that precede version numbers, names of
// platforms in detection names. Each is a judgement about running text; declared values (a CSV's, a STIX pattern's) are
// never filtered by them.
#pragma once

#include <string_view>

namespace parley::indicator::detail {

/// Research blogs, scanners' result pages, standards bodies: where reports send their readers. Sub-domains included.
bool is_reference_site(std::string_view canonical_host);

/// "version", "build", "firmware", ... in the languages of the reports that we have met.
bool precedes_version(std::string_view word);

/// Trojan.Win32.Agent.ae: a label that only names of detections have.
bool is_detection_label(std::string_view lower_label);

/// ASP.NET, System.IO: a program library, although .net and .io are top-level domains.
bool is_library_name(std::string_view canonical_domain);

/// Addresses that documentation of Bitcoin itself uses as examples, and the one of the first block.
bool is_example_coin(std::string_view address);

}  // namespace parley::indicator::detail
