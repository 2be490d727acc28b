// parley group rotate: another key in the place of one that is lost, stolen, or old.
#include <fmt/format.h>

#include "base/random.h"
#include "base/text.h"
#include "cli/finding_command.h"
#include "cli/group_command.h"
#include "group/rotation.h"
#include "node/replication.h"

namespace parley::cli {
namespace {

constexpr std::string_view kLogRole = "log";

struct RotateArguments {
  std::string name, role, reason, since, out;
  bool yes = false;
};

template <typename Value>
std::optional<Value> named(std::initializer_list<Value> values, std::string_view name) {
  for (const Value value : values)
    if (log::name_of(value) == name) return value;
  return std::nullopt;
}

std::unexpected<Error> no_successor_of_a_log_key() {
  return fail(
      Errc::policy,
      "A log key has no successor: whoever has it can sign another history of your log, and no later key of yours "
      "takes that back. Leave the group (parley group withdraw), and be invited again with a new member folder "
      "under another short name; the others add it by an amendment that all of them sign (docs/groups.md, \"A "
      "laptop is stolen\").");
}

std::string meaning_of(log::KeyRole role) {
  switch (role) {
    case log::KeyRole::node:
      return "The node key signs the entries of your log. From the entry on that is written now, no member takes an "
             "entry that the old key signed; what it signed before stands. Until a member has that entry, a thief can "
             "sign in your name towards it, and what it signs against your log is held against you.";
    case log::KeyRole::cosign:
      return "The cosign key says that you hold the others' logs. What the old key said of them up to now stands; "
             "beyond that it does not count for anybody who has the entry that is written now.";
    case log::KeyRole::tls:
      return "The tls key shows who you are on a link, in all your groups: an entry of each of your logs says the "
             "same. "
             "A member is called with the old key until it has signed for that entry, and ends links under the old key "
             "then. A member that cannot be called learns it from another one's copy of your log.";
  }
  return {};
}

/// Whether the log of this group says already that the `tls` key with this seed is ours.
bool is_told(group::JointLog& log, const Secret<32>& seed) {
  const auto own = log.with([&](mirror::Replica& replica) { return replica.keys_of(log.nick()); });
  const log::PlacedRotation* newest = own ? own->rotation(log::KeyRole::tls) : nullptr;
  return newest != nullptr && newest->rotation.next.key == crypto::public_key_of(seed);
}

/// The statement in an entry of ours, for members that no log reaches.
Status write_statement(Workplace& at, const RotateArguments& arguments, const group::Membership& membership,
                       const mirror::EntryView& written) {
  if (!written.body) return fail(Errc::internal, "An entry of our own came without its body.");
  log::ObjectReader reader(*written.body, "the body of our entry");
  const std::string statement = reader.text("rotation", log::kMaxRotationBytes);
  const std::string fallback =
      fmt::format("{}.{}.{}.rotation", membership.group().name, at.member.card.nick, written.entry.seq);
  const std::string file = arguments.out.empty() ? "" : arguments.out + "." + membership.group().name;
  at.console.say(
      "Whoever cannot be reached, and does not meet another member, takes this file: parley group take FILE");
  return write_paper(at, file, fallback, statement);
}

Status rotate_in(Workplace& at, const RotateArguments& arguments, const std::string& id,
                 const group::Groups::Rotating& what, const Secret<32>& id_seed) {
  TRY(const group::Membership membership, at.groups.membership(id));
  TRY(const auto log, at.groups.log(id));
  TRY_STATUS(node::hear_enough(at.groups.desk(), at.member, membership, *log, at.progress));
  TRY(const mirror::EntryView written, at.groups.rotate(id, at.member, what, id_seed));
  at.console.say(fmt::format("In {}, entry {} of your log replaces your {} key.", visible(membership.group().name),
                             written.entry.seq, log::name_of(what.role)));
  TRY_STATUS(tell_members(at, membership, *log, [](std::span<const std::string> later) {
    return fmt::format("{} could not be reached. Until {} the entry, the old key is good there: tell them.",
                       group::in_words(later), later.size() == 1 ? "it has" : "they have");
  }));
  if (what.role == log::KeyRole::tls) return write_statement(at, arguments, membership, written);
  at.console.print(fmt::format("{}\n", written.entry.seq));
  return {};
}

/// In all groups whose logs can be written: a new key, or the one that a run before could not tell all of them.
Status rotate_tls(Workplace& at, const RotateArguments& arguments, log::RotationReason reason, UnixSeconds since,
                  const Secret<32>& id_seed) {
  TRY(const auto seeds, group::rotated_tls_seeds(at.vault));
  TRY(const auto ids, at.groups.in_step(wall_clock_now()));
  std::vector<std::string> open, due;
  for (const std::string& id : ids) {
    TRY(const auto log, at.groups.log(id));
    const mirror::State state = log->with([](mirror::Replica& replica) { return replica.state(); });
    if (state == mirror::State::sealed || state == mirror::State::retired) continue;
    open.push_back(id);
    if (!seeds.empty() && !is_told(*log, seeds.back())) due.push_back(id);
  }
  const bool finishes = !due.empty() && due.size() < open.size();
  if (finishes) at.console.say("An earlier rotation has not been told in all your groups; that is done now.");
  const Secret<32> seed = finishes ? seeds.back().clone() : random_secret<32>();
  Status failure;
  for (const std::string& id : finishes ? due : open) {
    const Status done = rotate_in(at, arguments, id, {log::KeyRole::tls, reason, since, seed}, id_seed);
    if (!done) at.console.say("Not told in one of your groups: " + done.error().text());
    if (!done) failure = done;
  }
  return failure;
}

Status rotate(Workplace& at, const RotateArguments& arguments) {
  if (arguments.role == kLogRole) return no_successor_of_a_log_key();
  const auto role = named({log::KeyRole::node, log::KeyRole::cosign, log::KeyRole::tls}, arguments.role);
  const auto reason = named({log::RotationReason::lost, log::RotationReason::stolen, log::RotationReason::staff,
                             log::RotationReason::routine},
                            arguments.reason);
  if (!role || !reason) return fail(Errc::usage, "The role or the reason is none that there is.");
  UnixSeconds since = 0;
  if (!arguments.since.empty()) {
    TRY(since, time_option("--since", arguments.since));
  }
  if (since < 0 || since > wall_clock_now()) return fail(Errc::usage, "--since is a time that has been.");
  TRY(const vault::GroupRow group, at.vault.group(arguments.name));
  TRY(const group::Membership membership, membership_of(at, group));
  TRY_STATUS(membership.check(group::Act::leave, wall_clock_now()));
  at.console.say(meaning_of(*role));
  at.console.say("Every member sees the reason and the time that you give, and keeps them for good.");
  TRY_STATUS(ask_yes(at, arguments.yes, fmt::format("Replace your {} key?", arguments.role)));
  TRY(const Secret<32> id_seed, id_seed_of(at));
  if (*role == log::KeyRole::tls) return rotate_tls(at, arguments, *reason, since, id_seed);
  const Secret<32> seed = random_secret<32>();
  return rotate_in(at, arguments, group.id, {*role, *reason, since, seed}, id_seed);
}

}  // namespace

void add_group_rotate(Command& family, Chosen& chosen) {
  const auto arguments = std::make_shared<RotateArguments>();
  Command* command = family.add_subcommand("rotate", "Put another key of yours in the place of one in use");
  command->add_option("NAME", arguments->name, "The group, as group list prints it")->required();
  command
      ->add_option("--role", arguments->role,
                   "Which key: node signs your log, cosign the others' logs, tls shows who you are on a link (in all "
                   "your groups); for log it says what to do instead")
      ->check(is_member({"node", "cosign", "tls", "log"}))
      ->required();
  command->add_option("--reason", arguments->reason, "Told to all members, and kept in the log")
      ->check(is_member({"lost", "stolen", "staff", "routine"}))
      ->required();
  command->add_option("--since", arguments->since, "From when on the old key may have been in other hands");
  command->add_option("--out", arguments->out,
                      "For tls: where the statements for members that nobody reaches are written, one for each group");
  command->add_flag("--yes", arguments->yes, "Do not ask");
  command->callback(at_work(chosen, [arguments](Workplace& at) { return rotate(at, *arguments); }));
}

}  // namespace parley::cli
