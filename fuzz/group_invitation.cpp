// Invitations, answers and what is typed of a fingerprint, from any bytes: as lines, and as the object of a line. What
// is taken is written back as it was.
#include "base/encoding.h"
#include "check.h"
#include "group/invitation.h"

namespace {

using namespace parley;

void check_line(std::string_view line) {
  if (const auto invitation = group::read_invitation(line)) {
    const SecretBytes written = group::write_invitation(*invitation);
    check(line.contains(as_text(written.expose())));
    check(invitation->id().size() == 16);
    const auto answer = group::read_answer(group::answer_invitation(*invitation, invitation->from, ""));
    check(answer && answer->invitation == invitation->id() && answer->card.note == invitation->from.note);
  }
  if (const auto answer = group::read_answer(line)) check(group::read_card(answer->card.note).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz_text(data, size);
  check_line(text);
  for (const std::string_view prefix : {group::kInvitationPrefix, group::kAnswerPrefix})
    check_line(std::string(prefix) + to_base64url(as_bytes(text)));
  group::Card card;
  card.note = "parley";
  if (group::check_spoken(text, card)) check(text.size() >= 8);
  return 0;
}
