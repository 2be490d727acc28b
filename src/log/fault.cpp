// Checking faults, and making them: a fault that is made is one that is found by the same check.
#include "log/fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/encoding.h"
#include "log/detail/fault_text.h"
#include "log/key_history.h"

namespace parley::log {
namespace {

/// "This is no fault": what was shown is signed as it says and breaks no rule.
std::unexpected<Error> no_fault(std::string_view why) {
  return fail(Errc::policy, fmt::format("This shows no fault: {}.", why));
}

/// A checkpoint note that carries the log's own signature and no other, so that no byte of a fault goes unchecked.
Result<Checkpoint> read_bare_checkpoint(std::string_view note, const MemberKeys& accused) {
  TRY(const Note parsed, parse_note(note));
  if (parsed.signatures.size() != 1) return fail(Errc::format, "A checkpoint in a fault carries one signature.");
  return read_checkpoint(note, accused.log);
}

Status check_fork_roots(const Fault& fault, const MemberKeys& accused) {
  TRY(const Checkpoint one, read_bare_checkpoint(fault.checkpoints[0], accused));
  TRY(const Checkpoint other, read_bare_checkpoint(fault.checkpoints[1], accused));
  if (one.size != other.size) return no_fault("the two checkpoints are of different sizes");
  if (one.root == other.root) return no_fault("the two checkpoints are of the same tree");
  return {};
}

Status check_leaf(const LeafProof& leaf, const MemberKeys& accused) {
  TRY(const Checkpoint checkpoint, read_bare_checkpoint(leaf.checkpoint, accused));
  if (verify_inclusion(leaf.leaf_hash, leaf.index, checkpoint.size, leaf.path, checkpoint.root)) return {};
  return no_fault("a leaf is not shown to be in the tree of its checkpoint");
}

Status check_fork_leaves(const Fault& fault, const MemberKeys& accused) {
  const LeafProof& one = fault.leaves[0];
  const LeafProof& other = fault.leaves[1];
  if (one.index != other.index) return no_fault("the two leaves stand at different places");
  if (one.leaf_hash == other.leaf_hash) return no_fault("the two leaves are the same");
  TRY_STATUS(check_leaf(one, accused));
  return check_leaf(other, accused);
}

Status check_fork_prefix(const Fault& fault, const MemberKeys& accused) {
  TRY(const Checkpoint smaller, read_bare_checkpoint(fault.checkpoints[0], accused));
  TRY(const Checkpoint larger, read_bare_checkpoint(fault.checkpoints[1], accused));
  const auto shown = verify_prefix(smaller.size, larger.size, larger.root, fault.prefix);
  if (!shown) return no_fault("the proof does not show how the larger tree begins");
  if (*shown == smaller.root) return no_fault("the larger tree begins with the smaller one");
  return {};
}

Status check_rewritten_entry(const Fault& fault, const MemberKeys& accused) {
  TRY(const Entry one, read_entry(fault.entries[0], accused));
  TRY(const Entry other, read_entry(fault.entries[1], accused));
  if (one.seq != other.seq) return no_fault("the two entries have different numbers");
  // Equal headers under two signatures would say one thing twice.
  if (one == other) return no_fault("the two entries are the same");
  return {};
}

Status check_double_step(const Fault& fault, const MemberKeys& accused) {
  TRY(const Entry one, read_entry(fault.entries[0], accused));
  TRY(const Entry other, read_entry(fault.entries[1], accused));
  const auto step = step_key(one);
  if (!step || step != step_key(other)) return no_fault("the two entries are not one step of one session");
  if (one == other) return no_fault("the two entries are the same");
  return {};
}

Status check_antedated(const Fault& fault, const MemberKeys& accused) {
  TRY(const Entry before, read_entry(fault.entries[0], accused));
  TRY(const Entry after, read_entry(fault.entries[1], accused));
  if (after.seq != before.seq + 1 || after.prev != leaf_hash(as_bytes(fault.entries[0])))
    return no_fault("the second entry does not follow the first");
  if (after.time >= before.time) return no_fault("the second entry is not earlier than the first");
  return {};
}

Status check_sealed_extended(const Fault& fault, const MemberKeys& accused) {
  TRY(const Entry seal, read_entry(fault.entries[0], accused));
  if (!entry_type(seal.type)->seals) return no_fault("the first entry seals nothing");
  if (fault.entries.size() == 2) {
    TRY(const Entry after, read_entry(fault.entries[1], accused));
    if (after.seq <= seal.seq) return no_fault("the second entry is not beyond the seal");
    return {};
  }
  TRY(const Checkpoint checkpoint, read_bare_checkpoint(fault.checkpoints[0], accused));
  if (checkpoint.size <= seal.seq + 1) return no_fault("the tree does not reach beyond the seal");
  return {};
}

Result<Digest> digest_of(const Json& body, std::string_view key, std::string_view what) {
  const Json::Object* members = body.object();
  const auto found = members->find(key);
  const std::string* text = found == members->end() ? nullptr : found->second.text();
  Digest digest{};
  if (text == nullptr || !read_hex(*text, digest)) return no_fault(what);
  return digest;
}

/// Whether the offer, by what its author signed, has this opening.
Status check_offered(const Json& offer_body, const OfferedOpening& opening) {
  TRY(const Digest root, digest_of(offer_body, "commit", "the offer binds no openings"));
  const auto found = offer_body.object()->find("values");
  const std::int64_t* count = found == offer_body.object()->end() ? nullptr : found->second.integer();
  if (count == nullptr || *count < 0) return no_fault("the offer does not say how many openings it has");
  if (!opening.is_in(root, static_cast<std::uint64_t>(*count)))
    return no_fault("the opening is not among those that were offered");
  return {};
}

Status check_bad_opening(const Fault& fault, const MemberKeys& accused) {
  TRY(const Entry commit, read_entry(fault.entries[0], accused));
  TRY(const Entry offer, read_entry(fault.entries[1], accused));
  if (commit.type != kSessionCommit || offer.type != kRevealOffer || commit.session != offer.session)
    return no_fault("the two entries are not a commitment and an offer of one session");
  TRY(const Json commit_body, open_body(commit, fault.bodies[0]));
  TRY(const Json offer_body, open_body(offer, fault.bodies[1]));
  TRY(const Digest items_root, digest_of(commit_body, "items_root", "the commitment has no root of items"));
  TRY(const Digest context_root, digest_of(commit_body, "ctx_root", "the commitment has no root of context"));
  TRY_STATUS(check_offered(offer_body, fault.openings[0]));
  // What cannot be read says nothing that could be false.
  TRY(const ItemOpening opening, ItemOpening::parse(fault.openings[0].text));
  if (!opening.not_under(items_root, context_root, offer.session))
    return no_fault("the opening is what the commitment holds");
  return {};
}

/// An old node key's word against its owner: before the rotation was logged it convicts, afterwards it may be a
/// thief's, where the owner says that there may be one. What the log key signed beside it is the owner's all the same.
Status check_answerable(const Fault& fault, const MemberKeys& accused) {
  const PlacedRotation* newest = accused.rotation(KeyRole::node);
  if (newest == nullptr || !fault.checkpoints.empty()) return {};
  const RotationReason reason = newest->rotation.reason;
  if (reason == RotationReason::staff || reason == RotationReason::routine) return {};
  for (const std::string& note : fault.entries) {
    TRY(const Entry entry, read_entry_unverified(note));
    if (entry.seq < newest->seq)
      return no_fault(
          fmt::format("entry {} bears a node key that {} replaced by entry {} ({}), and answers for no more", entry.seq,
                      accused.nick, newest->seq, name_of(newest->rotation.reason)));
  }
  return {};
}

Status check_parts(const Fault& fault, const MemberKeys& accused) {
  switch (fault.kind) {
    case FaultKind::fork_roots:
      return check_fork_roots(fault, accused);
    case FaultKind::fork_leaves:
      return check_fork_leaves(fault, accused);
    case FaultKind::fork_prefix:
      return check_fork_prefix(fault, accused);
    case FaultKind::rewritten_entry:
      return check_rewritten_entry(fault, accused);
    case FaultKind::double_step:
      return check_double_step(fault, accused);
    case FaultKind::sealed_extended:
      return check_sealed_extended(fault, accused);
    case FaultKind::antedated:
      return check_antedated(fault, accused);
    case FaultKind::bad_opening:
      return check_bad_opening(fault, accused);
  }
  return fail(Errc::internal, "A kind of fault that has no check.");
}

Status check(const Fault& fault, const MemberKeys& accused) {
  TRY_STATUS(check_parts(fault, accused));
  return check_answerable(fault, accused);
}

using Check = Status (*)(const Fault& fault, const MemberKeys& accused);

/// The keys of the accused by what is known of its rotations and what the fault shows of them, whichever goes further.
Result<MemberKeys> keys_for(const Fault& fault, const MemberKeys& known) {
  MemberKeys shown = known;
  shown.rotated.clear();
  for (const ShownRotation& rotation : fault.rotations) {
    TRY_STATUS(admit_rotation(shown, rotation.entry, rotation.body));
    if (shown.rotated.back().rotation.role != KeyRole::node)
      return fail(Errc::format, "Not a fault: a rotation in it is of no key that signs entries.");
  }
  const auto newest = [](const MemberKeys& keys) {
    const PlacedRotation* placed = keys.rotation(KeyRole::node);
    return placed == nullptr ? 0 : placed->seq;
  };
  return newest(shown) > newest(known) ? shown : known;
}

/// The note with the signature of the log's key alone.
std::string bare(std::string_view note, const VerifierKey& log) {
  auto parsed = parse_note(note);
  if (!parsed) return std::string(note);
  const auto is_foreign = [&](const NoteSignature& other) {
    return other.name != log.name || other.key_id != log.id();
  };
  std::erase_if(parsed->signatures, is_foreign);
  if (parsed->signatures.size() > 1) parsed->signatures.resize(1);
  return write_note(*parsed);
}

Fault fault_of(FaultKind kind, const MemberKeys& accused) {
  Fault fault;
  fault.kind = kind;
  fault.accused = accused.nick;
  return fault;
}

std::optional<Fault> if_fault(Fault fault, const MemberKeys& accused) {
  if (!check(fault, accused)) return std::nullopt;
  if (!fault.entries.empty())
    for (const PlacedRotation& placed : accused.rotated)
      if (placed.rotation.role == KeyRole::node) fault.rotations.push_back({placed.leaf, body_of(placed)});
  return fault;
}

Result<Verdict> verdict_on(std::string_view text, std::span<const MemberKeys> members, Check check_all) {
  TRY(const Fault fault, parse_fault(text));
  const auto accused = std::ranges::find(members, fault.accused, &MemberKeys::nick);
  if (accused == members.end()) {
    return fail(Errc::not_found, fmt::format("The fault accuses {}, who is no member by these keys.", fault.accused));
  }
  TRY(const MemberKeys keys, keys_for(fault, *accused));
  TRY_STATUS(check_all(fault, keys));
  Verdict verdict;
  verdict.kind = fault.kind;
  verdict.accused = static_cast<std::size_t>(accused - members.begin());
  verdict.proves = detail::sentences_of_proof(fault.kind, fault.accused);
  verdict.proves_not = detail::sentences_of_doubt(fault.kind, fault.accused);
  return verdict;
}

}  // namespace

Result<Verdict> verify_fault(std::string_view text, std::span<const MemberKeys> members) {
  return verdict_on(text, members, check);
}

Result<Verdict> verify_kept_fault(std::string_view text, std::span<const MemberKeys> members) {
  return verdict_on(text, members, check_parts);
}

std::optional<Fault> fault_of_checkpoints(std::string_view note, std::string_view other, const MemberKeys& accused) {
  Fault fault = fault_of(FaultKind::fork_roots, accused);
  fault.checkpoints = {bare(note, accused.log), bare(other, accused.log)};
  return if_fault(std::move(fault), accused);
}

Result<std::optional<Fault>> fault_of_prefix(std::string_view smaller, std::string_view larger, HashReader& hashes,
                                             const MemberKeys& accused) {
  TRY(const Checkpoint first, read_checkpoint(smaller, accused.log));
  TRY(const Checkpoint second, read_checkpoint(larger, accused.log));
  if (first.size == 0 || first.size >= second.size) return std::nullopt;
  Fault fault = fault_of(FaultKind::fork_prefix, accused);
  fault.checkpoints = {bare(smaller, accused.log), bare(larger, accused.log)};
  TRY(fault.prefix, prefix_proof(hashes, first.size, second.size));
  return if_fault(std::move(fault), accused);
}

std::optional<Fault> fault_of_leaves(const LeafProof& leaf, const LeafProof& other, const MemberKeys& accused) {
  Fault fault = fault_of(FaultKind::fork_leaves, accused);
  fault.leaves = {leaf, other};
  for (LeafProof& one : fault.leaves) one.checkpoint = bare(one.checkpoint, accused.log);
  return if_fault(std::move(fault), accused);
}

std::optional<Fault> fault_of_entries(std::string_view note, std::string_view other, const MemberKeys& accused) {
  for (const FaultKind kind :
       {FaultKind::rewritten_entry, FaultKind::double_step, FaultKind::sealed_extended, FaultKind::antedated}) {
    Fault fault = fault_of(kind, accused);
    for (const auto& entries : {std::pair(note, other), std::pair(other, note)}) {
      fault.entries = {std::string(entries.first), std::string(entries.second)};
      if (auto found = if_fault(fault, accused)) return found;
    }
  }
  return std::nullopt;
}

std::optional<Fault> fault_of_seal(std::string_view seal, std::string_view checkpoint, const MemberKeys& accused) {
  Fault fault = fault_of(FaultKind::sealed_extended, accused);
  fault.entries = {std::string(seal)};
  fault.checkpoints = {bare(checkpoint, accused.log)};
  return if_fault(std::move(fault), accused);
}

std::optional<Fault> fault_of_opening(std::string_view commit, const Body& commit_body, std::string_view offer,
                                      const Body& offer_body, const OfferedOpening& opening,
                                      const MemberKeys& accused) {
  Fault fault = fault_of(FaultKind::bad_opening, accused);
  fault.entries = {std::string(commit), std::string(offer)};
  fault.bodies = {commit_body, offer_body};
  fault.openings = {opening};
  return if_fault(std::move(fault), accused);
}

}  // namespace parley::log
