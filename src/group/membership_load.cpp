// Memberships as the vault holds them, and how a pair of members stands (membership.h).
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "group/membership.h"
#include "group/paper_kinds.h"

namespace parley::group {
namespace {

std::unexpected<Error> damaged(const vault::GroupRow& group, const Error& why) {
  return fail(Errc::vault_damaged,
              fmt::format("What the vault holds of the group {} does not verify: {}", visible(group.name), why.text()));
}

/// Who has left by the leaves that the vault holds. One that counts for no reader of a dossier, since it was taken when
/// its version was not asked for, counts for nothing here either.
std::set<std::string, std::less<>> read_left(std::span<const vault::GroupPaper> papers,
                                             const std::vector<SignedCharter>& versions) {
  std::set<std::string, std::less<>> left;
  for (const vault::GroupPaper& paper : papers) {
    if (paper.kind != kPaperLeave) continue;
    if (const auto leave = read_leave(paper.text, versions)) left.insert(leave->nick);
  }
  return left;
}

Result<std::vector<SignedCharter>> read_versions(const std::vector<vault::CharterRow>& rows) {
  std::vector<SignedCharter> versions;
  for (const vault::CharterRow& row : rows) {
    if (versions.empty()) {
      TRY(SignedCharter first, read_founded(row.note));
      versions.push_back(std::move(first));
    } else {
      TRY(SignedCharter next, read_taken_amendment(versions.back(), row.note));
      versions.push_back(std::move(next));
    }
    if (versions.back().hash != row.hash)
      return fail(Errc::format, "A version has another hash than is written beside it.");
  }
  return versions;
}

}  // namespace

Result<Membership> Membership::load(vault::Vault& vault, const vault::GroupRow& group, const log::VerifierKey& own_id) {
  TRY(const auto rows, vault.charters(group.id));
  if (rows.empty())
    return fail(Errc::not_found,
                fmt::format("The group {} has no charter in force yet; parley group show {} tells what "
                            "is missing.",
                            visible(group.name), visible(group.name)));
  auto versions = read_versions(rows);
  if (!versions) return damaged(group, versions.error());
  TRY(const auto papers, vault.group_papers(group.id));
  std::set<std::string, std::less<>> left = read_left(papers, *versions);
  LocalPolicy policy;
  for (const vault::GroupPaper& paper : papers) {
    if (paper.kind != kPaperPolicy) continue;
    auto read = read_policy(paper.text);
    if (!read) return damaged(group, read.error());
    policy = *std::move(read);
  }
  return Membership(group, *std::move(versions), std::move(left), std::move(policy), own_id);
}

Result<PairStanding> standing_of_pair(vault::Vault& vault, const log::VerifierKey& own_id,
                                      const log::VerifierKey& peer_id, UnixSeconds now) {
  TRY(const auto groups, vault.groups());
  PairStanding standing;
  for (const vault::GroupRow& group : groups) {
    TRY(const auto charters, vault.charters(group.id));
    if (charters.empty()) continue;
    TRY(Membership membership, Membership::load(vault, group, own_id));
    // A member of any version: who was expelled, or has left, does not become a stranger by it.
    const bool shared = std::ranges::any_of(membership.versions(), [&](const SignedCharter& version) {
      return version.charter.member_by_id(peer_id) != nullptr && version.charter.member_by_id(own_id) != nullptr;
    });
    if (!shared) continue;
    const CharterMember* peer = membership.charter().member_by_id(peer_id);
    const bool open =
        membership.phase_at(now) == Phase::open && peer != nullptr && !membership.has_left(peer->keys.nick);
    if (open)
      standing.open.push_back(std::move(membership));
    else
      standing.closed.push_back(group.name);
  }
  return standing;
}

Result<std::optional<Membership>> group_for_question(PairStanding standing, std::string_view peer_name,
                                                     std::string_view group_name) {
  if (!group_name.empty()) {
    for (Membership& membership : standing.open)
      if (membership.group().name == group_name || membership.group().id == group_name) return std::move(membership);
    if (std::ranges::find(standing.closed, group_name) != standing.closed.end())
      return fail(Errc::policy,
                  fmt::format("In the group {} no question may be put to {} now; parley group show {} says "
                              "why.",
                              visible(group_name), visible(peer_name), visible(group_name)));
    return fail(Errc::not_found, fmt::format("You share no group {} with {}; parley group list shows yours.",
                                             visible(group_name), visible(peer_name)));
  }
  if (standing.without_charter()) return std::nullopt;
  if (standing.open.empty())
    return fail(Errc::policy,
                fmt::format("The groups that you share with {} are not open ({}), and who has agreed on a charter does "
                            "not ask without one. Amend it in time, or agree on a new one: parley group draft.",
                            visible(peer_name), visible(in_words(standing.closed))));
  if (standing.open.size() > 1) {
    std::vector<std::string> names;
    for (const Membership& membership : standing.open) names.push_back(membership.group().name);
    return fail(Errc::usage,
                fmt::format("You share more than one group with {}: {}. Say under which one you ask: --group.",
                            visible(peer_name), visible(in_words(names))));
  }
  return std::move(standing.open.front());
}

}  // namespace parley::group
