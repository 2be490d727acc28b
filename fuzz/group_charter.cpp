// Papers of a group from any bytes: as notes, and as the object of a charter, a key package, a leave or an own policy.
// What is taken is what would be written, keeps the rules, and a next version of it goes the way that its change says.
#include "check.h"
#include "group/amendment.h"
#include "group/local_policy.h"
#include "group/papers.h"
#include "log/note.h"

namespace {

using namespace parley;

void check_taken(const group::Charter& charter, std::string_view text) {
  check(group::charter_text(charter) == text);
  check(group::check_charter(charter).has_value());
  group::Charter next = charter;
  if (charter.seq == group::kMostVersions) return;
  ++next.seq;
  next.prev = group::charter_hash(charter);
  check(!group::assess(charter, next, {}));  // changes nothing
  if (charter.not_after - 1 > charter.not_before) {
    --next.not_after;
    const auto tighter = group::assess(charter, next, {});
    check(tighter && tighter->needs.of_counted == std::min(charter.finding_quorum, charter.members.size()));
  }
  group::LocalPolicy looser;
  looser.not_after = charter.not_after + 1;
  check(!group::check_only_stricter(looser, charter));
}

log::Note note_of(std::string_view kind, std::string_view object) {
  return {.text = std::string(kind) + "\n" + std::string(object) + "\n", .signatures = {}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz_text(data, size);
  if (const auto founding = group::read_founding(text)) check_taken(founding->charter, log::parse_note(text)->text);
  if (const auto head = group::read_paper_head(text)) check(group::is_group_id(head->group));
  if (const auto package = group::read_key_package(text)) check(package->note == text);
  if (const auto policy = group::read_policy(text)) check(*group::read_policy(group::write_policy(*policy)) == *policy);

  // The fuzzer's bytes as an object, behind whatever signature.
  if (text.find('\n') != text.npos) return 0;
  if (const auto charter = group::read_charter_unverified(note_of(group::kCharterKind, text)))
    check_taken(*charter, note_of(group::kCharterKind, text).text);
  const Secret<32> seed = fixed_seed(1);
  const log::VerifierKey key = log::vkey_of("parley.local/m/alpha/id", log::KeyType::ed25519, seed);
  const auto signed_as = [&](std::string_view kind) {
    return log::sign_note(note_of(kind, text).text, key.name, seed);
  };
  if (const auto draft = group::read_draft(signed_as(group::kDraftKind), std::span(&key, 1)))
    check(group::charter_text(draft->terms, group::kDraftKind) == note_of(group::kDraftKind, text).text);
  group::Charter of_alpha;
  of_alpha.group = "7d1f3c90000000000000000000000001";
  of_alpha.members.push_back({.keys = {.nick = "alpha", .node = {}, .log = {}, .cosign = {}}, .card = {}, .id = key});
  if (const auto leave = group::read_leave(signed_as(group::kLeaveKind), of_alpha)) check(leave->nick == "alpha");
  return 0;
}
