// The steps of the verifier, and those of them that are about people and texts; verify_logs.cpp has those about logs.
#include "dossier/verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "crypto/hash.h"
#include "dossier/detail/verifier.h"
#include "dossier/stix.h"
#include "group/member.h"
#include "group/nicks.h"
#include "group/papers.h"

namespace parley::dossier {
namespace detail {

Verdict Verifier::run() {
  using Check = Result<std::string> (Verifier::*)();
  constexpr std::array<std::pair<std::string_view, Check>, 12> kSteps = {
      std::pair{"form", &Verifier::form},        std::pair{"anchor", &Verifier::anchor},
      std::pair{"charter", &Verifier::charters}, std::pair{"signatures", &Verifier::signatures},
      std::pair{"members", &Verifier::members},  std::pair{"basis", &Verifier::basis},
      std::pair{"entries", &Verifier::entries},  std::pair{"openings", &Verifier::openings},
      std::pair{"rules", &Verifier::rules},      std::pair{"publication", &Verifier::publication},
      std::pair{"stix", &Verifier::stix},        std::pair{"nothing else", &Verifier::nothing_else},
  };
  for (const auto& [title, check] : kSteps) {
    const Result<std::string> done = (this->*check)();
    verdict_.steps.push_back(
        {std::string(title), done ? Outcome::holds : Outcome::fails, done ? *done : done.error().text()});
    if (!done) return std::move(verdict_);
    if (title == "anchor" && !verdict_.anchored) verdict_.steps.back().outcome = Outcome::not_given;
  }
  verdict_.holds = true;
  say_what_it_proves();
  verdict_.contents = std::move(contents_);
  return std::move(verdict_);
}

Result<std::string> Verifier::form() {
  TRY(dossier(), parse_dossier(text_));
  return fmt::format("{} bytes, one canonical object without a field that is not known", text_.size());
}

const group::SignedCharter* Verifier::version_of(const Digest& hash) const {
  const auto found = std::ranges::find(contents_->charters, hash, &group::SignedCharter::hash);
  return found == contents_->charters.end() ? nullptr : &*found;
}

void Verifier::note_named(const group::SignedCharter* version) {
  newest_version_ = std::max(newest_version_, static_cast<std::size_t>(version - contents_->charters.data()));
}

/// Those who withdrew under the newest version so far, which is there for them, too.
Status Verifier::read_leaves() {
  const group::SignedCharter& newest = contents_->charters.back();
  for (const std::string& note : dossier().leaves) {
    const auto leave = group::read_leave(note, std::span(&newest, 1));
    if (!leave) continue;
    if (!contents_->left.insert(leave->nick).second)
      return wrong(fmt::format("{} withdraws twice.", visible(leave->nick)));
    note_named(&newest);
  }
  return {};
}

Result<std::string> Verifier::charters() {
  if (dossier().charters.empty()) return wrong("There is no charter in it.");
  contents_->charters.reserve(dossier().charters.size());
  TRY(contents_->charters.emplace_back(), group::read_founded(dossier().charters.front()));
  TRY_STATUS(read_leaves());
  for (std::size_t i = 1; i < dossier().charters.size(); ++i) {
    TRY(group::Amendment amendment,
        group::read_amendment_afterwards(contents_->charters.back(), dossier().charters[i], contents_->left));
    if (!amendment.in_force())
      return wrong(fmt::format("Version {} of the charter lacks the signatures of {}.", i + 1,
                               group::in_words(amendment.missing())));
    TRY_STATUS(group::check_nicks(contents_->charters, amendment.next.charter));
    contents_->charters.push_back(std::move(amendment.next));
    TRY_STATUS(read_leaves());
  }
  if (contents_->left.size() != dossier().leaves.size()) return wrong("A withdrawal in it is of no member.");
  const group::SignedCharter& first = contents_->charters.front();
  return fmt::format("{}: version 1 is signed by all {} members ({}), {}", visible(first.charter.name),
                     first.charter.members.size(), group::in_words(first.signers),
                     contents_->charters.size() == 1 ? std::string("no later version is named")
                                                     : fmt::format("and each of {} later versions by those it needed",
                                                                   contents_->charters.size() - 1));
}

Result<std::string> Verifier::signatures() {
  // Whose signatures count is known once the charter is, which the text names.
  TRY(const log::Note note, log::parse_note(dossier().finding));
  TRY(contents_->finding, finding::read_finding_text(note.text));
  const group::SignedCharter* version = version_of(contents_->finding.charter);
  if (version == nullptr) return wrong("The finding names a charter that is not in the dossier.");
  note_named(version);
  contents_->charter = &version->charter;
  for (const finding::Evidence& evidence : contents_->finding.evidence)
    refs_.insert(evidence.refs.begin(), evidence.refs.end());
  TRY(contents_->signed_finding, finding::read_signed_finding(dossier().finding, version->charter));
  contents_->quorum = finding::finding_quorum(version->charter, contents_->left);
  const auto& signers = contents_->signed_finding.signers;
  if (!finding::are_enough(version->charter, contents_->left, signers))
    return wrong(fmt::format("{} of {} members signed it; {} are due.", signers.size(), version->charter.members.size(),
                             contents_->quorum));
  if (verdict_.anchored && !anchor_.charter) {
    std::vector<std::string> known;
    std::ranges::copy_if(signers, std::back_inserter(known), [&](const std::string& nick) {
      return std::ranges::find(anchor_.id_keys, version->charter.member(nick)->id) != anchor_.id_keys.end();
    });
    if (!finding::are_enough(version->charter, contents_->left, known))
      return wrong(fmt::format("Of those that you trust {} signed it; {} are due.", known.size(), contents_->quorum));
  }
  return fmt::format("{} of {} members signed this text ({}); {} were due", signers.size(),
                     version->charter.members.size(), group::in_words(signers), contents_->quorum);
}

// Once the finding is read: by its version of the charter members are shown by name.
Result<std::string> Verifier::members() {
  for (const std::string& note : dossier().cards) {
    const Digest hash = crypto::sha256(as_bytes(note));
    TRY(const group::Card card, group::read_card(note));
    if (card.note != note) return wrong(fmt::format("The card of {} is no note.", visible(card.nick)));
    // Of no other version: who has changed its card would be shown by a name that it did not have, or has no more.
    const group::CharterMember* member = contents_->charter->member(card.nick);
    if (member == nullptr || member->card != hash)
      return wrong(fmt::format("The card of {} is not the one that the finding's version of the charter names.",
                               visible(card.nick)));
    if (!contents_->names.emplace(card.nick, card.name).second)
      return wrong(fmt::format("There are two cards of {}.", visible(card.nick)));
  }
  TRY_STATUS(read_rotations());
  return fmt::format(
      "{} cards, each the one that the finding's charter names; all keys are of full strength{}",
      dossier().cards.size(),
      dossier().rotations.empty()
          ? std::string()
          : fmt::format("; {} were replaced by entries that their owners' id keys signed", dossier().rotations.size()));
}

Result<std::string> Verifier::openings() {
  TRY_STATUS(finding::open(contents_->finding, dossier().openings));
  for (const finding::Placed& placed : finding::redactable_texts(contents_->finding))
    if (!placed.text->shown) contents_->redacted.push_back(placed.path);
  const std::size_t shown = dossier().openings.size();
  return fmt::format("{} of {} texts that may be withheld are shown, each as it was signed", shown,
                     shown + contents_->redacted.size());
}

Result<std::string> Verifier::rules() {
  contents_->remarks = finding::lint(contents_->finding, *contents_->charter, contents_->finding.charter);
  TRY_STATUS(finding::check(contents_->remarks));
  return fmt::format("all {} rules of the trade are kept; warnings: {}", finding::rules().size(),
                     contents_->remarks.size());
}

Result<std::string> Verifier::stix() {
  if (stix_bundle(*contents_) != dossier().stix)
    return wrong("The STIX bundle is not the one that this finding gives.");
  return fmt::format("the STIX 2.1 bundle was made again by {}, and is the same to the byte", kStixProfile);
}

Result<std::string> Verifier::nothing_else() {
  for (const auto& [nick, keys] : rotated_)
    for (const log::PlacedRotation& placed : keys.rotated)
      if (!needed_.contains({nick, placed.seq}))
        return wrong(fmt::format("Entry {} of {}, which replaces a key, serves nothing.", placed.seq, nick));
  if (newest_version_ + 1 != contents_->charters.size()) return wrong("There is a charter in it that serves nothing.");
  return std::string("every part of the file was needed by a step");
}

void Verifier::say_what_it_proves() {
  verdict_.proves = {
      fmt::format("The holders of the id keys of {} signed this text, and no other.",
                  group::in_words(contents_->signed_finding.signers)),
      "The entries that the evidence names stand in the logs of their authors, and a quorum of members held them when "
      "the finding was frozen.",
      fmt::format("Every dissent and withdrawal that {} named when they published is in the dossier.",
                  group::in_words(contents_->publishers)),
  };
  verdict_.proves_not = {
      "That the evidence is true, or that a member showed all it has: the logs keep what was said, not what is.",
      "What entries say whose bodies are not shown, and what stands in the texts that are withheld.",
      "The times: they are the signers' and cosigners' clocks.",
      "That it still stands: a later finding may replace it, and a dissent or a withdrawal may have come after. Ask "
      "the group for newer.",
      fmt::format("That no dissent or withdrawal was kept out by all of {} together.",
                  group::in_words(contents_->publishers)),
      "Who used a key.",
  };
  if (!verdict_.anchored)
    verdict_.proves_not.insert(verdict_.proves_not.begin(),
                               "Who these members are: anybody can make keys, a charter and logs of his own. Get the "
                               "hash of the charter from somebody you trust, and give it with --charter.");
}

}  // namespace detail

std::vector<std::string> Contents::standing() const {
  std::vector<std::string> nicks = signed_finding.signers;
  std::erase_if(nicks, [&](const std::string& nick) {
    return std::ranges::any_of(withdrawals, [&](const finding::Withdrawn& one) { return one.place.nick == nick; });
  });
  return nicks;
}

bool Contents::stands() const {
  return withdrawals.empty() || finding::are_enough(*charter, left, standing());
}

Verdict verify_dossier(std::string_view text, const Anchor& anchor) {
  return detail::Verifier(text, anchor).run();
}

}  // namespace parley::dossier
