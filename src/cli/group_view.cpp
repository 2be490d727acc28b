// Charters, members and signatures in words, for all commands of the family.
#include <fmt/format.h>

#include <algorithm>

#include "admission/epoch.h"
#include "base/encoding.h"
#include "base/text.h"
#include "cli/group_command.h"
#include "crypto/hash.h"

namespace parley::cli {
namespace {

std::string caps_in_words(const group::Caps& caps) {
  return fmt::format(
      "sets of at most {}, {} session(s) a day with one member, those of other questions about the type counted; in 30 "
      "days one member may enter {}, all together {}; at most {} matches learned, {} fields opened on each",
      caps.items_per_session, caps.sessions_per_day, caps.probe_items_30d, caps.probe_items_group_30d,
      caps.matches_revealed_30d, caps.fields_per_item);
}

bool may_be_asked(const group::Charter& charter, indicator::Type type) {
  return std::ranges::find(charter.questions, type, &group::AllowedQuestion::type) != charter.questions.end();
}

/// What stands against guesses: of which types tags, and of which guessable ones nothing but the caps.
void say_what_is_guessable(Console& console, const group::Charter& charter) {
  std::vector<indicator::Type> tagged, useless, bare;
  for (const group::AdmissionCap& cap : charter.admission.types)
    (may_be_asked(charter, cap.type) ? tagged : useless).push_back(cap.type);
  for (const indicator::Type type : group::kGuessableTypes)
    if (may_be_asked(charter, type) && charter.admission.cap(type) == nullptr) bare.push_back(type);
  if (!tagged.empty())
    console.say(
        fmt::format("Of {} only a tag enters that every member, you too, helped to make: each counts in its log how "
                    "many it helped whom with, sees none of them, and stops at the charter's max_admissions. So of "
                    "these nobody tests more guesses than that in an epoch, in however many sessions "
                    "(docs/admission.md).",
                    fmt::join(names_of(tagged), ", ")));
  if (!bare.empty())
    console.say(
        fmt::format("WITHOUT TAGS: {} can be guessed, may be asked about and enters as it is. Whoever asks may test "
                    "guesses of it, as many as the caps on questions let in; --admission TYPE=NUMBER would bound them.",
                    fmt::join(names_of(bare), ", ")));
  if (!useless.empty())
    console.say(
        fmt::format("The charter asks for tags of {}, about which no question is allowed: they protect "
                    "nothing. Is another type meant?",
                    fmt::join(names_of(useless), ", ")));
}

}  // namespace

std::vector<std::string> in_words(const group::Charter& charter) {
  std::vector<std::string> lines = {
      fmt::format("{} (group {}), version {}", visible(charter.name), group::short_id(charter.group), charter.seq),
      fmt::format("  for: {}", visible(charter.purpose)),
      fmt::format(
          "  from {} until {}; sessions end {} s before, by clocks that may be that far apart; {} days of grace "
          "for findings, dissent and settling",
          to_rfc3339(charter.not_before), to_rfc3339(charter.not_after), charter.clock_skew_seconds,
          charter.grace_days),
  };
  for (const group::AllowedQuestion& question : charter.questions)
    lines.push_back(fmt::format("  {} of {}: {}", group::name_of(question.function), indicator::name_of(question.type),
                                caps_in_words(question.caps)));
  lines.emplace_back("  every other question is refused");
  for (const group::AdmissionCap& cap : charter.admission.types)
    lines.push_back(
        fmt::format("  {} enters by tags that all members help to make: at most {} of each member in {} days ({})",
                    indicator::name_of(cap.type), cap.most, charter.admission.epoch_days, group::kAdmissionCapName));
  lines.push_back(fmt::format("  material marked stricter than TLP:{} does not enter; protocols: {}",
                              indicator::name_of(charter.max_tlp), fmt::join(charter.protocols, ", ")));
  if (charter.members.empty())
    lines.push_back(charter.finding_quorum == 0
                        ? std::string("  a finding needs the signatures of all members")
                        : fmt::format("  a finding needs {} signatures", charter.finding_quorum));
  else
    lines.push_back(fmt::format("  a finding needs {} of {} signatures, a log {} holders", charter.finding_quorum,
                                charter.members.size(), charter.log_quorum));
  return lines;
}

Status say_members(Workplace& at, const group::Charter& charter) {
  TRY(const auto peers, at.vault.peers());
  for (const group::CharterMember& member : charter.members) {
    std::string standing = "not pinned here: nobody has shown you that these keys are theirs (parley peer add)";
    if (member.id.text() == at.member.card.id_vkey) standing = "you";
    for (const vault::Peer& peer : peers) {
      TRY(const group::Card card, group::read_card(peer.card));
      if (card.id_vkey != member.id.text()) continue;
      standing = crypto::sha256(as_bytes(card.note)) != member.card
                     ? fmt::format("pinned as {} by ANOTHER CARD than the charter names", visible(peer.name))
                 : peer.confirmed != 0 ? fmt::format("pinned as {}, compared by voice", visible(peer.name))
                                       : fmt::format("pinned as {}, NOT compared by voice (parley confirm {} …)",
                                                     visible(peer.name), visible(peer.name));
    }
    at.console.say(fmt::format("  member {}: {}", member.keys.nick, standing));
  }
  return {};
}

Result<std::vector<std::string>> invited_and_missing(vault::Vault& vault, const std::string& group,
                                                     std::span<const std::string> nicks) {
  TRY(const auto invitations, vault.invitations());
  TRY(const auto peers, vault.peers());
  std::vector<std::string> missing;
  for (const vault::InvitationRow& invitation : invitations) {
    if (invitation.group != group || std::ranges::find(missing, invitation.invited) != missing.end()) continue;
    const auto peer = std::ranges::find(peers, invitation.invited, &vault::Peer::name);
    if (peer != peers.end() && !peer->card.empty()) {
      TRY(const group::Card card, group::read_card(peer->card));
      if (std::ranges::find(nicks, card.nick) != nicks.end()) continue;
    }
    missing.push_back(invitation.invited);
  }
  std::ranges::sort(missing);
  return missing;
}

Result<std::string> nick_meant(vault::Vault& vault, const group::Charter& charter, const std::string& name) {
  TRY(const auto peers, vault.peers());
  for (const vault::Peer& peer : peers) {
    if (peer.name != name || peer.card.empty()) continue;
    TRY(const group::Card card, group::read_card(peer.card));
    const bool is_member = std::ranges::any_of(
        charter.members, [&](const group::CharterMember& member) { return member.id.text() == card.id_vkey; });
    if (!is_member || card.nick == name) continue;
    if (charter.member(name) == nullptr) return card.nick;
    return fail(Errc::usage,
                fmt::format("{0} is the name of one member in the group, and here the one of another, whose "
                            "name in the group is {1}. Say {1} if you mean that one; or pin the card of "
                            "{1} here under another name.",
                            visible(name), visible(card.nick)));
  }
  return name;
}

void say_what_others_learn(Console& console, const group::Charter& charter) {
  std::int64_t matches = 0;
  for (const group::AllowedQuestion& question : charter.questions)
    matches = std::max(matches, question.caps.matches_revealed_30d);
  const std::string may_ask = fmt::format(
      "each of them may then ask what the charter lists, and only about what your rules admit to this group (parley "
      "group admit): at most {} matches of one kind in 30 days each.",
      matches);
  if (charter.seq == 1)
    console.say(
        "What the others learn about you: signing tells them your keys and that you are in; your material stays here. "
        "Under the charter " +
        may_ask);
  else
    console.say(
        "What the others learn about you: signing tells them that you agree to this change; your material stays here. "
        "Under this version " +
        may_ask);
  console.say(
      "How you would notice that they cheat: no version is in force without the signatures that it needs, each names "
      "the "
      "one before by its hash, and a node with another version is refused. Compare the hash with the others by voice. "
      "Your node refuses what the charter does not allow before it reads anything. Of what the others enter into a "
      "permitted question nothing proves that they hold it: tags and caps bound it, and decoys notice guesses "
      "(docs/canaries.md).");
  say_what_is_guessable(console, charter);
}

void say_what_follows(Console& console, const group::Charter& before, const group::Charter& after) {
  if (!after.admission.types.empty() && admission::begins_epoch(before, after)) {
    std::vector<indicator::Type> types;
    for (const group::AdmissionCap& cap : after.admission.types) types.push_back(cap.type);
    console.say(fmt::format(
        "A NEW EPOCH BEGINS WITH IT: everybody's tags of {} are made anew, counts of what was admitted begin "
        "anew, and until the new tags are there nothing of these enters (parley admit status).",
        fmt::join(names_of(types), ", ")));
  }
  const bool ends = after.sessions_end() <= wall_clock_now() && before.sessions_end() > wall_clock_now();
  if (ends)
    console.say(
        fmt::format("IT ENDS THE GROUP AT ONCE: sessions end at {}, which is over. Findings, dissent and settling "
                    "have {} days of grace from {}.",
                    to_rfc3339(after.sessions_end()), after.grace_days, to_rfc3339(after.not_after)));
}

void say_signing(Console& console, const group::Signing& signing) {
  console.say(fmt::format("  hash: {}", to_hex(signing.charter.hash)));
  for (const group::Change& change : signing.changes)
    console.say(fmt::format("  {} {}", change.effect == group::Effect::loosens ? "LOOSENS " : "tightens",
                            visible(change.sentence)));
  if (!signing.needs.empty() && signing.charter.charter.seq > 1) console.say("  needs " + signing.needs);
  if (!signing.charter.signers.empty())
    console.say(fmt::format("  signed by {}", group::in_words(signing.charter.signers)));
  if (!signing.missing.empty()) console.say(fmt::format("  not yet signed by {}", group::in_words(signing.missing)));
  if (signing.in_force) console.say("  in force");
}

}  // namespace parley::cli
