// What a command is: how it is parsed, what it needs, and what it does.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/console.h"
#include "group/groups.h"
#include "group/member.h"
#include "node/inbox.h"
#include "operators/operator_log.h"
#include "vault/vault.h"

namespace parley::cli {

/// What every command has.
struct Surroundings {
  Console& console;
  Progress& progress;
  std::filesystem::path folder;  ///< the member's
};

/// What a command has that works on a member's vault, in its own process or inside the running node.
struct Workplace {
  Console& console;
  Progress& progress;
  std::filesystem::path folder;
  vault::Vault& vault;
  const group::Member& member;
  group::Groups& groups;
  node::Inbox* inbox;  ///< of the running node; nullptr when none runs
  session::UnderWay& under_way;
  session::Ledgers& ledgers;
  operators::OperatorLog& operator_log;
  operators::Signer& person;                      ///< at the console
  std::size_t threads;                            ///< for one computation
  std::function<void()> call_on_members = [] {};  ///< has the running node do so now; no node, no calls
};

/// The command that a command line chose. One of the two is set.
struct Chosen {
  std::function<int(Surroundings&)> alone;  ///< needs no vault, or opens it by itself
  std::function<int(Workplace&)> at_work;
};

/// Each adds its command; parsing then sets `chosen`.
void add_init(Command& program, Chosen& chosen);
void add_id(Command& program, Chosen& chosen);
void add_import(Command& program, Chosen& chosen);
void add_export(Command& program, Chosen& chosen);
void add_extract(Command& program, Chosen& chosen);
void add_case(Command& program, Chosen& chosen);
void add_warninglist(Command& program, Chosen& chosen);
void add_peer(Command& program, Chosen& chosen);
void add_group(Command& program, Chosen& chosen);
void add_invite(Command& program, Chosen& chosen);  ///< invite, join, confirm
void add_serve(Command& program, Chosen& chosen);
void add_admit(Command& program, Chosen& chosen);  ///< admit, admit status
void add_ask(Command& program, Chosen& chosen);
void add_inbox(Command& program, Chosen& chosen);  ///< inbox, accept, decline
void add_show(Command& program, Chosen& chosen);
void add_reveal(Command& program, Chosen& chosen);
void add_consent(Command& program, Chosen& chosen);
void add_session(Command& program, Chosen& chosen);
void add_ledger(Command& program, Chosen& chosen);
void add_canary(Command& program, Chosen& chosen);
void add_audit(Command& program, Chosen& chosen);
void add_operator(Command& program, Chosen& chosen);
void add_policy(Command& program, Chosen& chosen);
void add_log(Command& program, Chosen& chosen);
void add_finding(Command& program, Chosen& chosen);
void add_dossier(Command& program, Chosen& chosen);
void add_verify(Command& program, Chosen& chosen);
void add_bench(Command& program, Chosen& chosen);
void add_sim(Command& program, Chosen& chosen);

/// Builds the whole command line.
void add_all(Command& program, Chosen& chosen);

/// Runs `arguments` at a workplace that is open already: what the node does with a command handed to it.
int run_at(Workplace& workplace, const std::vector<std::string>& arguments);

/// Options that several commands share.
Result<std::vector<indicator::Type>> types_from(const std::vector<std::string>& names);  ///< ascending; all when empty
std::vector<std::string_view> names_of(std::span<const indicator::Type> types);
/// A type's name.
Check type_name_validator();
/// `--protocols`: the suites of the named protocols; all when empty.
std::vector<std::uint16_t> suites_from(const std::vector<std::string>& names);
void add_protocols_option(Command& command, std::vector<std::string>& names);
/// A label as a person may write it: 1 to 256 bytes of visible UTF-8.
Check label_validator();

}  // namespace parley::cli
