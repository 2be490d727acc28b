// The side that is helped (psi.md 6.6): gathers what of the material needs a tag and has none into batches, asks each
// other member for help with them, checks what it gets, and keeps the tags in the vault. Whatever is interrupted goes
// on where it was; a member that is away holds up its own answers only. What is asked to be proven of a batch is drawn
// once and kept before it is said: whoever breaks off after it has heard it is asked the same again. A batch to which
// somebody gave bad answers is made anew, and that member is asked for the new ones before all others. Until then
// nobody is far ahead of the others, so that a member that begins to give bad answers uses up one batch, and not all,
// of what the others grant. One that a member refuses is made anew with fewer, and that member is asked first, too.
#pragma once

#include "admission/epoch.h"
#include "admission/message.h"

namespace parley::admission {

/// Batches under way at once: a quarter of a million indicators, blinded in some seconds.
inline constexpr std::size_t kMostUnderWay = 16;

/// A batch of a type has an eighth of the type's cap at most, but for caps so low that each entry would count a few.
inline constexpr std::size_t kBatchesInCap = 8;
inline constexpr std::size_t kFewestInFullBatch = 64;
/// @param most_of_type  the charter's cap
std::size_t most_in_batch(std::int64_t most_of_type);

/// Under a lower cap of a type no canaries of it are admitted: each set takes a sixteenth of this.
inline constexpr std::int64_t kLeastCapForCanaries = 1024;

/// Puts what waits, canaries among it, into batches, as far as the charter's caps let it be admitted in this epoch, and
/// forgets what is of another epoch. @return how many indicators were put into batches @error the vault's;
/// Errc::cancelled
Result<std::uint64_t> make_batches(const Party& us, const Epoch& epoch);

struct Helped {
  std::uint64_t indicators = 0;         ///< with which the member has helped now
  std::optional<Refusal> refusal = {};  ///< why it does not help with the rest, or the rest of a type
};
/// Asks the peer of `link` for its part of the batches that lack it and are not to be answered by another first, until
/// it refuses, is ahead of the others by as much as a batch may have, or time is up. What it refuses by a cap or a rule
/// of its own is asked again with half as many the next time; other types go on.
/// @error Errc::protocol when its answers are no elements, do not hold their proof, or are not those that were fixed,
/// after the batch was dropped and the member noted where these answers could never become good; Errc::peer_gone
Result<Helped> ask_for_help(const Party& us, const Epoch& epoch, group::LogLink& link, Deadline deadline);

/// Gives tags to the indicators of all batches that every other member has answered. @return how many indicators
Result<std::uint64_t> finish_batches(const Party& us, const Epoch& epoch);

/// Everything that an owner does on a link with one member: see above, with its log in step.
/// @return nothing where the charter asks for no tags or an epoch is not in force yet
Result<std::optional<Helped>> work_with(const Party& us, group::LogLink& link, Deadline deadline);

/// Our key into the log where it is due, and batches for what waits: before calling on the others.
Status prepare(const Party& us);

/// Notes that a member answered, or that it did not. @param trouble  a sentence; empty: none
Status note_helper(const Party& us, std::string_view nick, bool reached, std::string trouble);

/// A refusal as a sentence, with the clause of the charter that it is by.
std::string in_words(const Refusal& refusal, std::string_view helper, indicator::Type type);

}  // namespace parley::admission
