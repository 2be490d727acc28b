// docs/commands.md says what the program says.
#include "support/member.h"

namespace parley::program {
namespace {

TEST(CommandReference, IsWhatTheProgramsOwnHelpGives) {
  const std::filesystem::path source = PARLEY_SOURCE;
  const Ended made =
      run({.program = (source / "tools/make-command-reference").string(), .arguments = {PARLEY_PROGRAM}});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(read_text(source / "docs/commands.md"), made.out) << "run: make docs";
}

}  // namespace
}  // namespace parley::program
