// The family `parley group`: one file for each few of its commands, and what they share.
#pragma once

#include "cli/command.h"
#include "cli/json.h"
#include "group/operation.h"

namespace parley::cli {

void add_group_draft(Command& family, Chosen& chosen);     ///< draft
void add_group_join(Command& family, Chosen& chosen);      ///< join, take
void add_group_sign(Command& family, Chosen& chosen);      ///< sign
void add_group_show(Command& family, Chosen& chosen);      ///< show, list
void add_group_amend(Command& family, Chosen& chosen);     ///< amend
void add_group_policy(Command& family, Chosen& chosen);    ///< policy
void add_group_admit(Command& family, Chosen& chosen);     ///< admit
void add_group_rotate(Command& family, Chosen& chosen);    ///< rotate
void add_group_withdraw(Command& family, Chosen& chosen);  ///< withdraw, close

/// Sets `chosen` to `body`, whose error becomes the command's.
std::function<void()> at_work(Chosen& chosen, std::function<Status(Workplace&)> body);

group::Desk desk_of(const Workplace& at);
/// Our `id` key, which signs charters. @error Errc::passphrase, Errc::not_found, …
Result<Secret<32>> id_seed_of(Workplace& at);
/// @error Errc::not_found when there is no charter in force
Result<group::Membership> membership_of(Workplace& at, const vault::GroupRow& group);

/// A paper from a file, or from the input where it is "-". @error Errc::not_found, Errc::limit, Errc::io
Result<std::string> read_paper(Workplace& at, const std::string& file);
/// Writes a paper that goes to the others, and says where it is. @param file  empty: `fallback` in the current folder
/// @error Errc::exists when something is there
Status write_paper(Workplace& at, const std::string& file, const std::string& fallback, std::string_view content);

/// `text` asks for a yes, or the operator has given it by --yes. @error Errc::cancelled
Status ask_yes(Workplace& at, bool yes, std::string_view question);

/// The terms of a charter or draft in words, line by line.
std::vector<std::string> in_words(const group::Charter& charter);
/// Of those who are named: whose card is pinned here, and whether it was compared by voice.
Status say_members(Workplace& at, const group::Charter& charter);
/// The nick of the member that a person means, who knows it by that or by the name under which its card is pinned here;
/// any other name as it is. @error Errc::usage where it is the nick of one member and the name here of another
Result<std::string> nick_meant(vault::Vault& vault, const group::Charter& charter, const std::string& name);
/// Whom we invited to a group and who has not joined it: our names for those whose nick is not among `nicks`.
Result<std::vector<std::string>> invited_and_missing(vault::Vault& vault, const std::string& group,
                                                     std::span<const std::string> nicks);
/// This member's own rules in a group, if it has any.
void print_policy(Console& console, const group::Membership& membership);
/// What the others will learn about us under this charter, and how we would notice that they cheat.
void say_what_others_learn(Console& console, const group::Charter& charter);
/// What comes with a new version when it is in force, beyond its own sentences: tags that are made anew, the end.
void say_what_follows(Console& console, const group::Charter& before, const group::Charter& after);
/// An amendment or charter with its signatures.
void say_signing(Console& console, const group::Signing& signing);

/// "ipv4,domain:count" or "ipv4:count:max_sessions_day=2,max_items_per_session=1024". @error Errc::usage
struct QuestionOption {
  std::vector<indicator::Type> types;
  group::Function function = group::Function::count;
  std::vector<std::pair<group::NamedCap, std::int64_t>> caps;
};
Result<QuestionOption> question_option(const std::string& text);
/// "NAME=NUMBER,…" with some of `names`: their places, and the numbers, at least 0. @error Errc::usage
Result<std::vector<std::pair<std::size_t, std::int64_t>>> numbers_option(const std::string& text, std::string_view what,
                                                                         std::span<const std::string_view> names);
/// "max_sessions_day=2,…" @error Errc::usage
Result<std::vector<std::pair<group::NamedCap, std::int64_t>>> caps_option(const std::string& text);
/// "ipv4=100000,asn=500", ascending; "none" for no types. @error Errc::usage
Result<std::vector<group::AdmissionCap>> admission_option(const std::string& text);
/// @error Errc::usage
Result<indicator::Tlp> tlp_option(const std::string& text);
Result<UnixSeconds> time_option(std::string_view option, const std::string& text);
/// Puts the questions of `charter` into their order.
void sort_questions(group::Charter& charter);
/// Under `charter` a session could run after `from`. @error Errc::usage
Status check_leaves_time(const group::Charter& charter, UnixSeconds from);

}  // namespace parley::cli
