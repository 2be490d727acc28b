// What a command is: how it is parsed, what it needs, and what it does.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

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
void add_init(CLI::App& app, Chosen& chosen);
void add_id(CLI::App& app, Chosen& chosen);
void add_import(CLI::App& app, Chosen& chosen);
void add_export(CLI::App& app, Chosen& chosen);
void add_extract(CLI::App& app, Chosen& chosen);
void add_case(CLI::App& app, Chosen& chosen);
void add_warninglist(CLI::App& app, Chosen& chosen);
void add_peer(CLI::App& app, Chosen& chosen);
void add_group(CLI::App& app, Chosen& chosen);
void add_invite(CLI::App& app, Chosen& chosen);  ///< invite, join, confirm
void add_serve(CLI::App& app, Chosen& chosen);
void add_admit(CLI::App& app, Chosen& chosen);  ///< admit, admit status
void add_ask(CLI::App& app, Chosen& chosen);
void add_inbox(CLI::App& app, Chosen& chosen);  ///< inbox, accept, decline
void add_show(CLI::App& app, Chosen& chosen);
void add_reveal(CLI::App& app, Chosen& chosen);
void add_consent(CLI::App& app, Chosen& chosen);
void add_session(CLI::App& app, Chosen& chosen);
void add_ledger(CLI::App& app, Chosen& chosen);
void add_canary(CLI::App& app, Chosen& chosen);
void add_audit(CLI::App& app, Chosen& chosen);
void add_operator(CLI::App& app, Chosen& chosen);
void add_policy(CLI::App& app, Chosen& chosen);
void add_log(CLI::App& app, Chosen& chosen);
void add_finding(CLI::App& app, Chosen& chosen);
void add_dossier(CLI::App& app, Chosen& chosen);
void add_verify(CLI::App& app, Chosen& chosen);
void add_bench(CLI::App& app, Chosen& chosen);
void add_sim(CLI::App& app, Chosen& chosen);

/// Builds the whole command line.
void add_all(CLI::App& app, Chosen& chosen);

/// Runs `arguments` at a workplace that is open already: what the node does with a command handed to it.
int run_at(Workplace& workplace, const std::vector<std::string>& arguments);

/// Options that several commands share.
Result<std::vector<indicator::Type>> types_from(const std::vector<std::string>& names);  ///< ascending; all when empty
std::vector<std::string_view> names_of(std::span<const indicator::Type> types);
/// For CLI11: a type's name.
CLI::Validator type_name_validator();
/// `--protocols`: the suites of the named protocols; all when empty.
std::vector<std::uint16_t> suites_from(const std::vector<std::string>& names);
void add_protocols_option(CLI::App& command, std::vector<std::string>& names);
/// A label as a person may write it: 1 to 256 bytes of visible UTF-8.
CLI::Validator label_validator();

}  // namespace parley::cli
