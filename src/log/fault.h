// Evidence against a member that anybody can check who has its public keys: what it signed, twice or wrongly (log.md
// 2.6). Nothing here rests on the word of whoever shows it.
#pragma once

#include "log/checkpoint.h"
#include "log/entry.h"
#include "log/opening.h"

namespace parley::log {

inline constexpr std::string_view kFaultKind = "parley/fault/v1";
inline constexpr std::size_t kMaxFaultBytes = 5 << 20;  ///< two bodies, written as text in text

/// An honest member does none of these, whatever crashes, clocks or others do to it, if it keeps an entry before it
/// sends it and follows LogState::time_of_next().
enum class FaultKind : std::uint8_t {
  fork_roots,       ///< two checkpoints of one size with different roots
  fork_leaves,      ///< two different leaves at one index of trees that it signed
  fork_prefix,      ///< a checkpoint, and a larger one whose tree begins with something else
  rewritten_entry,  ///< two different entries of one number
  double_step,      ///< a step of a session that is taken once, taken twice and differently
  sealed_extended,  ///< an entry or a tree beyond the entry that sealed the log
  antedated,        ///< an entry that states an earlier time than the entry it follows
  bad_opening,      ///< an opening that is not what it committed to
};
std::string_view name_of(FaultKind kind);

/// Where a leaf stands in a tree that the accused signed.
struct LeafProof {
  std::string checkpoint;  ///< note
  std::uint64_t index = 0;
  Digest leaf_hash{};
  std::vector<Digest> path;
  bool operator==(const LeafProof&) const = default;
};

/// An entry that rotates the node key of the accused, with its body: an outsider learns by it which key is due where.
struct ShownRotation {
  std::string entry;
  Body body;
  bool operator==(const ShownRotation&) const = default;
};

/// The parts of a fault. Which are there depends on the kind:
/// fork_roots: 2 checkpoints. fork_leaves: 2 leaves. fork_prefix: 2 checkpoints, the smaller one first, and the prefix
/// proof (merkle.h) of the second. rewritten_entry, double_step: 2 entries. antedated: 2 entries, the one that is
/// followed first. sealed_extended: the sealing entry, and one entry or one checkpoint. bad_opening: the session.commit
/// and the reveal.offer entry, their bodies, and the opening, which the offer binds.
struct Fault {
  FaultKind kind{};
  std::string accused;  ///< nick
  std::vector<std::string> checkpoints;
  std::vector<std::string> entries;
  std::vector<LeafProof> leaves;
  std::vector<Digest> prefix;
  std::vector<Body> bodies;
  std::vector<OfferedOpening> openings = {};
  std::vector<ShownRotation> rotations = {};  ///< beside entries: all that are known, in their order
  bool operator==(const Fault&) const = default;
};

/// The kind, a newline, one PJ1 object, a newline. Precondition: the parts that the kind has.
std::string write_fault(const Fault& fault);

/// Takes what write_fault() gives and nothing else. Nothing is verified yet. @error Errc::format, Errc::limit
Result<Fault> parse_fault(std::string_view text);

struct Verdict {
  FaultKind kind{};
  std::size_t accused = 0;              ///< position in the members
  std::vector<std::string> proves;      ///< sentences
  std::vector<std::string> proves_not;  ///< what a reader might take it for and must not
};

/// A member answers for what its node key signed until another one has taken its place (log.md 1.6): what contradicts
/// later on, and bears the old key's signature, may be a thief's, and is no fault. What its log key signed it answers
/// for as long as the log lasts.
/// @param members  of the charter that was in force, as admit_members() takes them, with the rotations that are known
/// @error Errc::not_found if the accused is none of them; Errc::signature if it did not sign all the parts;
/// Errc::policy if what it signed is no fault; Errc::format, Errc::limit
Result<Verdict> verify_fault(std::string_view text, std::span<const MemberKeys> members);
/// The same of one that verified when it was kept: no rotation that has come since makes it less.
Result<Verdict> verify_kept_fault(std::string_view text, std::span<const MemberKeys> members);

// --- making faults: out of what a mirror holds. Each returns nothing if it is none; the checkpoints are stripped of
// the
// --- signatures of others first. Whoever makes one verifies it before it leaves.

std::optional<Fault> fault_of_checkpoints(std::string_view note, std::string_view other, const MemberKeys& accused);
/// @param hashes  the tree under `larger`, of which the first leaves are not those of `smaller`
Result<std::optional<Fault>> fault_of_prefix(std::string_view smaller, std::string_view larger, HashReader& hashes,
                                             const MemberKeys& accused);
std::optional<Fault> fault_of_leaves(const LeafProof& leaf, const LeafProof& other, const MemberKeys& accused);
/// Of whatever kind two entries by one member are: rewritten_entry, double_step, sealed_extended, antedated.
std::optional<Fault> fault_of_entries(std::string_view note, std::string_view other, const MemberKeys& accused);
/// A tree that is larger than where the log was sealed.
std::optional<Fault> fault_of_seal(std::string_view seal, std::string_view checkpoint, const MemberKeys& accused);
/// An opening that the author of both entries offered, and had not committed to.
std::optional<Fault> fault_of_opening(std::string_view commit, const Body& commit_body, std::string_view offer,
                                      const Body& offer_body, const OfferedOpening& opening, const MemberKeys& accused);

}  // namespace parley::log
