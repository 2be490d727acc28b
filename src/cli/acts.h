// Which commands act, in the sense of the operator log, and the one place where what they do is recorded before it is
// done.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace parley::cli {

/// What the first argument of a command names, which its record has as a keyed hash.
enum class Subject : std::uint8_t { nothing, session, session_that_ran, group, peer, case_, text };
std::string_view name_of(Subject subject);

/// One command that a person can give, by its words.
struct CommandAct {
  std::string_view command;           ///< "case extract"
  std::optional<operators::Act> act;  ///< nothing: it is not recorded
  Subject subject = Subject::nothing;
};
/// Every command of the program. One that is not here is refused, and a test compares the two.
std::span<const CommandAct> command_acts();

/// What was typed: the words of the command, and its arguments that are no options.
struct Typed {
  std::string command;
  std::vector<std::string> arguments;  ///< in their order; of one that was not given, what stands for it

  std::string first() const { return arguments.empty() ? std::string() : arguments.front(); }
};
Typed typed_in(const Command& program);

/// Whether a record is one that the typed command makes, so that whoever asks for a signature can have nothing else
/// signed by it. What it is about stands in a record as a hash whose key the vault has, so that is not compared.
/// @error Errc::policy
Status check_typed(const Typed& typed, const operators::Record& record);

/// Runs the command that `program` has parsed, once it is on record. @return its exit code
int run_recorded(Workplace& at, const Command& program, const std::function<int(Workplace&)>& command);

/// What is hashed for `text`: the id of what it names, where this vault knows it.
std::string resolved(vault::Vault& vault, Subject subject, const std::string& text);

}  // namespace parley::cli
