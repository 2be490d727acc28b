// A stored session as people and scripts see it: one place for ask, show and session list.
#pragma once

#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/json.h"

namespace parley::cli {

/// A session's id from what a person types: digits of it, or "last" for the newest. @error Errc::not_found
Result<std::string> session_named(vault::Vault& vault, const std::string& text);

/// As session_named(), but "last" is the newest one that came to a result, not one that was refused or failed since.
/// @error Errc::not_found
Result<std::string> session_that_ran(vault::Vault& vault, const std::string& text);

/// How many indicators are in common: hashes of one file count once, and what the other side did not show to be its own
/// does not. @error the vault's
Result<std::int64_t> count_in_common(vault::Vault& vault, const std::string& session);

/// The whole session as one JSON object. @error the vault's
Result<OrderedJson> session_json(Workplace& at, const std::string& session);

/// What would enter if it had a tag, and why it does not; nothing where nothing is kept out.
std::optional<std::string> without_tag_in_words(const session::Enters& enters);

/// The same in plain words. @error the vault's
Status print_session(Workplace& at, const std::string& session);

}  // namespace parley::cli
