// Disagreement: when the log of a member is shown to us in two ways, and what proves it (log.md 2.6).
#include <algorithm>

#include "mirror/detail/impl.h"

namespace parley::mirror {
namespace {

// The most signatures that log::verify_fault() checks, and that trying two entries for each kind of fault takes.
constexpr std::uint64_t kChecksOfAFault = 4;
constexpr std::uint64_t kChecksOfTwoEntries = 16;
constexpr std::uint64_t kChecksOfARotation = 4;

}  // namespace

std::optional<Replica::Impl::Judged> Replica::Impl::judge(std::string_view text, ByteView branch) {
  effort.checked += kChecksOfAFault;
  const auto parsed = log::parse_fault(text);
  if (parsed) effort.checked += kChecksOfARotation * parsed->rotations.size();
  const auto verdict = log::verify_fault(text, group.members);
  // A rotation that cannot be read here now may have taken from the key that signed them what its owner answers for.
  if (verdict && logs[verdict->accused].keys_in_doubt && !parsed->entries.empty()) return std::nullopt;
  return judged(verdict, text, branch);
}

std::optional<Replica::Impl::Judged> Replica::Impl::judge_kept(const FaultRow& row) {
  return judged(log::verify_kept_fault(row.fault, group.members), row.fault, row.branch);
}

std::optional<Replica::Impl::Judged> Replica::Impl::judged(const Result<log::Verdict>& verdict, std::string_view text,
                                                           ByteView branch) const {
  if (!verdict || logs[verdict->accused].conviction) return std::nullopt;
  const std::string& accused = nick(verdict->accused);
  return Judged{.row = {logs[verdict->accused].origin, std::string(text), to_bytes(branch)},
                .conviction = {accused, std::string(text), verdict->proves.front()},
                .accused = verdict->accused};
}

std::optional<Replica::Impl::Judged> Replica::Impl::judge_entry(const log::Json& body) {
  // Exactly what fault_draft() writes: whoever believes it has to be able to say the same.
  const auto found = body.object()->find("fault");
  const std::string* text = found == body.object()->end() ? nullptr : found->second.text();
  if (text == nullptr) return std::nullopt;
  auto judged = judge(*text, {});
  if (!judged || fault_draft(judged->conviction).body != body) return std::nullopt;
  return judged;
}

std::optional<StepRow> Replica::Impl::report_in(const log::Entry& entry, const log::Json& body) const {
  if (entry.type != log::kFault || body.object() == nullptr) return std::nullopt;
  const auto accused = body.object()->find("accused");
  const std::string* name = accused == body.object()->end() ? nullptr : accused->second.text();
  if (name == nullptr || !member(*name)) return std::nullopt;
  return StepRow{own().origin, report_key(*name), entry.seq};
}

std::optional<log::Fault> Replica::Impl::fault_of_entries(std::string_view note, std::string_view other,
                                                          std::size_t owner) {
  effort.checked += kChecksOfTwoEntries;
  return log::fault_of_entries(note, other, keys(owner));
}

void Replica::Impl::convicted(Judged judged, Outcome& outcome) {
  auto& conviction = logs[judged.accused].conviction;
  if (conviction) return;
  conviction = judged.conviction;
  outcome.convictions.push_back(std::move(judged.conviction));
}

Result<bool> Replica::Impl::convict(const log::Fault& fault, ByteView branch, Outcome& outcome) {
  auto judged = judge(log::write_fault(fault), branch);
  if (!judged) return false;
  TRY_STATUS(commit({.growth = {}, .steps = {}, .faults = {judged->row}, .repairs = {}}));
  convicted(std::move(*judged), outcome);
  return true;
}

Result<bool> Replica::Impl::disagree(detail::LogCopy& copy, const log::CosignedCheckpoint& read, std::string_view note,
                                     ByteView branch, Outcome& outcome) {
  const std::uint64_t size = read.checkpoint.size;
  if (copy.size() == 0) return false;
  effort.checked += kChecksOfAFault;
  const log::MemberKeys& owner = keys(copy.owner);
  std::optional<log::Fault> fault;
  if (size == copy.size()) fault = log::fault_of_checkpoints(copy.newest->note, note, owner);
  if (size < copy.size()) {
    StoredTree tree(store, copy.origin);
    TRY(fault, log::fault_of_prefix(note, copy.newest->note, tree, owner));
  }
  if (size > copy.size() && copy.state.sealed) {
    TRY(const auto seal, store.leaves(copy.origin, copy.size() - 1, 1));
    if (!seal.empty()) fault = log::fault_of_seal(seal.front().note, note, owner);
  }
  if (fault) return convict(*fault, branch, outcome);
  if (size <= copy.size()) return false;
  TRY(Message question, message(Get{Get::What::prefix, nick(copy.owner), copy.size(), 1}));
  outcome.replies.push_back(std::move(question));
  return true;
}

Result<Outcome> Replica::Impl::take_proof(const Proof& proof, const Bytes& payload) {
  TRY(const std::size_t owner, member(proof.log));
  detail::LogCopy& copy = logs[owner];
  ++effort.checked;
  TRY(const log::Checkpoint larger, log::read_checkpoint(proof.checkpoint, keys(owner).log));
  if (proof.size >= larger.size) return fail(Errc::format, "A proof of how a tree begins is not of a smaller one.");
  TRY(const Digest shown, log::verify_prefix(proof.size, larger.size, larger.root, proof.path));
  Outcome outcome;
  if (copy.conviction || copy.mending || proof.size > copy.size()) return outcome;
  TRY(const Digest ours, root_at(copy, proof.size));
  if (shown == ours) return outcome;
  TRY(const auto smaller, checkpoint_of(copy, proof.size));
  if (!smaller) return outcome;
  log::Fault fault;
  fault.kind = log::FaultKind::fork_prefix;
  fault.accused = proof.log;
  fault.checkpoints = {smaller->note, detail::bare_note(proof.checkpoint, keys(owner).log)};
  fault.prefix = proof.path;
  TRY([[maybe_unused]] const bool kept, convict(fault, payload, outcome));
  return outcome;
}

}  // namespace parley::mirror
