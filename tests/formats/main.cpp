// The test program is also the process that reads its PDF and HTML documents, as the parley program is for itself.
#include <gtest/gtest.h>

#include <string_view>

#include "formats/document.h"

int main(int argc, char** argv) {
  // Less time than a user's program takes, so that the tests of hostile documents are done soon.
  constexpr parley::formats::DocumentLimits kLimits{parley::formats::kMaxDocumentMemoryBytes, 1};
  if (argc == 2 && std::string_view(argv[1]) == "document-text")
    return parley::formats::document_text_main(0, 1, kLimits);
  parley::formats::set_document_program("/proc/self/exe");
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
