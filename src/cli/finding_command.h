// The family `parley finding`: one file for each few of its commands, and what they share.
#pragma once

#include "cli/group_command.h"
#include "finding/casebook.h"

namespace parley::cli {

void add_finding_edit(Command& family, Chosen& chosen);  ///< new, origin, evidence, hypothesis, matrix, judge
void add_finding_show(Command& family, Chosen& chosen);  ///< list, show, lint
void add_finding_act(Command& family, Chosen& chosen);   ///< draft, sign, dissent, publish

/// A finding as a person names it: a working copy of ours, or one that was frozen.
struct NamedFinding {
  vault::GroupRow group;
  group::Membership membership;
  std::string name;               ///< of a working copy; else empty
  finding::Finding working = {};  ///< the working copy
  std::optional<finding::Case> frozen = {};

  const finding::Finding& finding() const { return frozen ? frozen->finding : working; }
  /// By the charter that it names, or the one in force for a working copy. @error Errc::not_found
  Result<std::vector<finding::Remark>> remarks() const;
};
/// @error Errc::not_found, Errc::usage where several groups have one of this name
Result<NamedFinding> finding_named(Workplace& at, const std::string& name);
/// The same for what only a frozen finding can be asked for. @error Errc::usage for a working copy
Result<NamedFinding> frozen_finding(Workplace& at, const std::string& name);

/// Our working copies. @error the vault's; Errc::vault_damaged
Result<std::vector<NamedFinding>> working_copies(Workplace& at);
Status keep_working_copy(Workplace& at, const vault::GroupRow& group, std::string_view name,
                         const finding::Finding& finding);
Status forget_working_copy(Workplace& at, const vault::GroupRow& group, std::string_view name);

/// Groups of ours with a charter in force.
Result<std::vector<group::Membership>> memberships(Workplace& at);

/// Calls on the members of each group for what they have written since, and says who was not reached.
Status fetch_news(Workplace& at);
/// Calls on one member: both logs are in step afterwards. @error as node::call_on(); Errc::cancelled
Status call_member(Workplace& at, const vault::Peer& member, group::JointLog& log);

/// Gives the members what was written, and says who has it.
/// @param of_the_others  a sentence about those who could not be reached
Status tell_members(Workplace& at, const group::Membership& membership, group::JointLog& log,
                    const std::function<std::string(std::span<const std::string> later)>& of_the_others);

/// Rows of cells, each column as wide as its widest cell, two blanks between; the first row is the head.
std::string in_columns(const std::vector<std::vector<std::string>>& rows);
/// The matrix with the scores and what they hang on.
std::string matrix_in_words(const finding::Finding& finding);
/// The whole finding for a person, with the entries and files that its evidence rests on. @error the vault's
Result<std::string> finding_in_words(vault::Vault& vault, const NamedFinding& named);
OrderedJson json_of(const NamedFinding& named);
/// One line each; nothing where there are none.
std::string remarks_in_words(std::span<const finding::Remark> remarks);

}  // namespace parley::cli
