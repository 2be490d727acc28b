// PDF and HTML are read in a process of their own, with limits on memory and time: their parsers are the largest pieces
// of foreign code here, and what they read comes from strangers.
#pragma once

#include <filesystem>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "formats/limits.h"

namespace parley::formats {

/// The program that answers `<program> document-text` by calling document_text_main(0, 1): this program itself. Set
/// once, at the start of main(), before any thread; without it, PDF and HTML are Errc::unsupported.
void set_document_program(std::filesystem::path program);

/// The text of a PDF or HTML document, read by a process of its own.
/// @error Errc::format when it is damaged or encrypted, Errc::limit when it needs more memory, time or pages than
///        limits.h allows, Errc::unsupported as above, Errc::io when no process can be started
Result<std::string> document_text(ByteView content);

/// What that process may use; the tests take less, to be done sooner.
struct DocumentLimits {
  std::uint64_t memory_bytes = kMaxDocumentMemoryBytes;
  unsigned seconds = kMaxDocumentSeconds;  ///< of computing
};

/// What that process does: takes on its limits, reads the document from `in_fd`, writes its text to `out_fd`.
/// @return the exit code of the process
int document_text_main(int in_fd, int out_fd, const DocumentLimits& limits = {});

}  // namespace parley::formats
