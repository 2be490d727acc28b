#include "finding/cut.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "group/amendment.h"
#include "group/rotation.h"
#include "log/quorum.h"
#include "mirror/vault_store.h"

namespace parley::finding {
namespace {

Status check_form(const Finding& finding, std::span<const std::string> checkpoints) {
  if (checkpoints.size() != finding.cut.size())
    return fail(Errc::format, "The finding's cut has not one checkpoint for each log.");
  if (std::ranges::adjacent_find(finding.cut, std::ranges::greater_equal{}, &Cut::nick) != finding.cut.end())
    return fail(Errc::format, "The finding's cut does not name each log once, in the order of the nicks.");
  return {};
}

Result<std::size_t> owner_of(const Cut& cut, std::span<const log::MemberKeys> keys) {
  const auto owner = std::ranges::find(keys, cut.nick, &log::MemberKeys::nick);
  if (owner != keys.end()) return static_cast<std::size_t>(owner - keys.begin());
  return fail(Errc::format, fmt::format("The cut is of {}, who is no member.", visible(cut.nick)));
}

/// Who holds a tree of the cut by its note alone.
Result<std::vector<std::string>> holders_by_note(const Cut& cut, const std::string& note, const group::Charter& charter,
                                                 std::span<const log::MemberKeys> keys) {
  TRY(const std::size_t owner, owner_of(cut, keys));
  TRY(const log::Standing standing, log::read_standing(note, keys, owner, charter.log_quorum));
  if (standing.checkpoint.size != cut.size || standing.checkpoint.root != cut.root)
    return fail(Errc::signature, fmt::format("The checkpoint of {} is not the one of the cut.", cut.nick));
  std::vector<std::string> holders;
  for (const std::size_t holder : standing.holders) holders.push_back(keys[holder].nick);
  return holders;
}

Status are_enough_holders(const Cut& cut, const group::Charter& charter, const Left& left,
                          std::span<const std::string> holders) {
  if (group::hold_together(charter, left, holders)) return {};
  std::vector<std::string> missing;
  for (const group::CharterMember& member : charter.members)
    if (!left.contains(member.keys.nick) && std::ranges::find(holders, member.keys.nick) == holders.end())
      missing.push_back(member.keys.nick);
  return fail(Errc::policy, fmt::format("Of the log of {} only {} of {} members hold what the finding rests on; {} are "
                                        "due. No signature that counts is here of {}.",
                                        cut.nick, holders.size(), charter.members.size(), charter.log_quorum,
                                        fmt::join(missing, ", ")));
}

}  // namespace

Status check_cut(const Finding& finding, std::span<const std::string> checkpoints, const group::Charter& charter,
                 std::span<const log::MemberKeys> keys, const Left& left) {
  TRY_STATUS(check_form(finding, checkpoints));
  for (std::size_t i = 0; i < finding.cut.size(); ++i) {
    TRY(const auto holders, holders_by_note(finding.cut[i], checkpoints[i], charter, keys));
    TRY_STATUS(are_enough_holders(finding.cut[i], charter, left, holders));
  }
  return {};
}

Result<CutJudge> CutJudge::make(vault::Vault& vault, const group::Membership& membership) {
  TRY(std::vector<log::MemberKeys> all_keys, group::keys_of_all_versions(vault, membership));
  return CutJudge(vault, membership, std::move(all_keys));
}

Status CutJudge::judge(const DraftedCut& drafted) {
  TRY_STATUS(check_form(drafted.finding, drafted.checkpoints));
  for (std::size_t i = 0; i < drafted.finding.cut.size(); ++i) {
    const Cut& cut = drafted.finding.cut[i];
    TRY(const std::size_t owner, owner_of(cut, drafted.keys));
    const std::string as_drafted = drafted.checkpoints[i];
    TRY(drafted.checkpoints[i], completed(as_drafted, drafted.keys, owner));
    TRY(std::vector<std::string> holders, holders_by_note(cut, drafted.checkpoints[i], drafted.charter, drafted.keys));
    if (!group::hold_together(drafted.charter, membership_.left(), holders)) {
      TRY(holders, with_kept_holders(std::move(holders), drafted, i, as_drafted, drafted.keys[owner]));
    }
    TRY_STATUS(are_enough_holders(cut, drafted.charter, membership_.left(), holders));
  }
  return {};
}

/// The note with what is kept here for this very tree, as far as it counts for whoever reads it elsewhere.
Result<std::string> CutJudge::completed(const std::string& note, std::span<const log::MemberKeys> keys,
                                        std::size_t owner) {
  TRY(std::string all, log::only_what_counts(note, keys, owner));
  TRY(const log::Checkpoint checkpoint, log::read_checkpoint(all, keys[owner].log));
  mirror::VaultStore store(vault_, membership_.charter().group, {}, 0);
  TRY(const auto lines, store.cosignatures(checkpoint.origin, checkpoint.size));
  for (const vault::LogCosignature& line : lines) {
    const auto signature = mirror::signature_in(line);
    const auto member = std::ranges::find(keys, line.cosigner, &log::MemberKeys::nick);
    if (!signature || member == keys.end()) continue;
    const auto key = member->ever_cosigned_by(*signature);
    // One that is damaged here, or of another tree, is left out.
    if (auto more = key ? log::add_cosignature(all, *signature, *key) : Result<std::string>(fail(Errc::signature, {})))
      all = *std::move(more);
  }
  return log::only_what_counts(all, keys, owner);
}

Result<std::vector<std::string>> CutJudge::with_kept_holders(std::vector<std::string> by_note,
                                                             const DraftedCut& drafted, std::size_t i,
                                                             const std::string& as_drafted,
                                                             const log::MemberKeys& owner) {
  const Cut& cut = drafted.finding.cut[i];
  std::set<std::string> holders(by_note.begin(), by_note.end());
  const auto add = [&](const std::string& nick) {
    if (drafted.charter.member(nick) != nullptr) holders.insert(nick);
  };
  const auto are_enough = [&] {
    return group::hold_together(drafted.charter, membership_.left(), std::vector(holders.begin(), holders.end()));
  };
  mirror::VaultStore store(vault_, membership_.charter().group, {}, 0);
  TRY(const vault::LogHead head, store.head(owner.log.name));
  mirror::StoredTree tree(store, owner.log.name);
  if (const auto root = cut.size > 0 && cut.size <= head.size ? log::tree_root(tree, cut.size)
                                                              : Result<Digest>(fail(Errc::not_found, {}));
      root && *root == cut.root) {
    TRY([[maybe_unused]] const auto of_log,
        holdings_.of_until(owner.log.name, cut.size - 1, [&](const std::vector<mirror::Holding>& known) {
          for (const mirror::Holding& holding : known) add(holding.nick);
          return are_enough();
        }));
  }
  // An entry is no younger than the first word of somebody who holds it, and so is what stands in it.
  const log::Checkpoint checkpoint{owner.log.name, cut.size, cut.root};
  TRY(const log::Note note, log::parse_note(as_drafted));
  TRY([[maybe_unused]] const auto of_draft,
      holdings_.of_until(drafted.author_origin, drafted.seq, [&](const std::vector<mirror::Holding>& known) {
        for (const mirror::Holding& holding : known)
          for (const log::NoteSignature& signature : note.signatures)
            if (!holders.contains(holding.nick) && signature.name == holding.key.name &&
                signature.key_id == holding.key.id() && log::verify_cosignature(checkpoint, signature, holding.key))
              add(holding.nick);
        return are_enough();
      }));
  return std::vector(holders.begin(), holders.end());
}

}  // namespace parley::finding
