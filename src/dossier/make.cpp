#include "dossier/make.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "dossier/detail/verifier.h"
#include "dossier/stix.h"
#include "finding/held_entry.h"
#include "group/founding.h"
#include "group/paper_kinds.h"
#include "group/rotation.h"
#include "log/key_history.h"
#include "log/tlog_proof.h"
#include "mirror/vault_store.h"

namespace parley::dossier {
namespace {

constexpr std::string_view kAll = "all";

class Maker {
 public:
  Maker(vault::Vault& vault, const group::Membership& membership, group::JointLog& log, const finding::Case& of,
        const MakeOptions& options)
      : vault_(vault), membership_(membership), log_(log), of_(of), options_(options) {}

  Result<Dossier> make(const group::Card& own_card) {
    dossier_.finding = of_.note;
    dossier_.checkpoints = of_.checkpoints;
    TRY_STATUS(check_all_read());
    TRY_STATUS(take_withdrawals());
    if (!without_.empty())
      return fail(Errc::not_found,
                  "What is not to be waited for is no dissent or withdrawal that cannot be judged here, and no "
                  "withdrawal that no quorum holds.");
    TRY_STATUS(take_openings());
    TRY_STATUS(take_evidence());
    TRY_STATUS(take_publications());
    TRY_STATUS(take_charters());
    TRY_STATUS(take_cards(own_card));
    TRY_STATUS(take_rotations());
    // All that are known, whether a publication names them or not.
    for (const finding::SignedDissent& dissent : of_.dissents) dossier_.dissents.push_back(dissent.note);
    std::ranges::sort(dossier_.entries, {}, [](const ShownEntry& entry) {
      return std::pair(entry.nick, log::read_entry_unverified(entry.note)->seq);
    });
    return std::move(dossier_);
  }

  /// That the dossier shows.
  const std::vector<finding::Withdrawn>& withdrawals() const { return withdrawals_; }

 private:
  /// What cannot be read cannot be carried, and a dossier without it could keep back what speaks against the finding.
  Status check_all_read() {
    std::optional<Error> first;
    std::vector<std::string> more;
    for (const finding::Unread& unread : of_.unread) {
      const Status read = check_read(unread);
      if (read) continue;
      if (first)
        more.push_back(fmt::format("{}:{}", unread.place.nick, unread.place.seq));
      else
        first = read.error();
    }
    if (!first) return {};
    if (!more.empty()) first->message += fmt::format(" So it is with {}.", fmt::join(more, ", "));
    return std::unexpected(*std::move(first));
  }

  Status check_read(const finding::Unread& unread) {
    const finding::Place& place = unread.place;
    const auto [is_final, holders] = log_.with([&](mirror::Replica& replica) {
      return std::pair(replica.is_final(place.nick, place.seq + 1), replica.holders(place.nick, place.seq + 1));
    });
    const bool lacks_charter = unread.lacking == finding::Unread::Lacking::charter;
    // Whose words a quorum holds can be asked for them; a version that nobody has nobody can give.
    if (without_.erase(place.leaf) > 0 && (lacks_charter || !is_final)) return {};
    if (lacks_charter)
      return fail(Errc::policy,
                  fmt::format("Entry {0} of {1} is a withdrawal of a signature from this finding, under a version of "
                              "the charter that is not known here. A dossier without it could keep it back. Take the "
                              "amendments that the others have: parley group take. If nobody has such a one, "
                              "--without {1}:{0} makes the dossier all the same.",
                              place.seq, place.nick));
    std::vector<std::string> others = holders;
    std::erase_if(others, [&](const std::string& nick) { return nick == place.nick || nick == log_.nick(); });
    return fail(Errc::policy,
                fmt::format("Entry {} of {} is a {} that may be about this finding, and what it says is not here. "
                            "Without it a dossier could keep back what speaks against the finding. {}",
                            place.seq, place.nick,
                            unread.type == log::kFindingDissent ? "dissent" : "withdrawal of a signature",
                            where_to_ask(place, is_final, others)));
  }

  static std::string where_to_ask(const finding::Place& place, bool is_final, std::span<const std::string> others) {
    if (!others.empty())
      return fmt::format("It is with {}, who cosigned it: parley finding list --call asks all who answer.{}",
                         group::in_words(others),
                         is_final ? ""
                                  : fmt::format(" No quorum holds it yet, so --without {}:{} makes the dossier all "
                                                "the same.",
                                                place.nick, place.seq));
    return fmt::format(
        "Nobody but {} is known to have it: parley finding list --call asks for it. If {} keeps it back, "
        "--without {}:{} makes the dossier all the same.",
        place.nick, place.nick, place.nick, place.seq);
  }

  Status take_openings() {
    for (const std::string& path : options_.withhold)
      if (path != kAll && std::ranges::find(of_.openings, path, &finding::Opening::path) == of_.openings.end())
        return fail(Errc::not_found, fmt::format("{} is not among the texts that can be withheld.", visible(path)));
    for (const finding::Opening& opening : of_.openings) {
      const bool withheld = std::ranges::any_of(
          options_.withhold, [&](const std::string& path) { return path == kAll || path == opening.path; });
      if (!withheld) dossier_.openings.push_back(opening);
    }
    return {};
  }

  Result<std::string> leaf_at(const std::string& origin, std::uint64_t seq) {
    TRY(const auto rows, vault_.log_leaves(origin, seq, 1));
    if (rows.empty()) return fail(Errc::not_found, "An entry that the finding needs is not here.");
    return rows.front().note;
  }

  Result<std::string> prove(const std::string& origin, std::uint64_t seq, const std::string& checkpoint_note) {
    const std::size_t end = checkpoint_note.find("\n\n");
    TRY(const log::Checkpoint checkpoint, log::parse_checkpoint(std::string_view(checkpoint_note).substr(0, end + 1)));
    mirror::VaultStore store(vault_, membership_.group().id, {}, 0);
    mirror::StoredTree tree(store, origin);
    log::TlogProof proof{.extra = {}, .index = seq, .path = {}, .checkpoint = checkpoint_note};
    TRY(proof.path, log::inclusion_proof(tree, seq, checkpoint.size));
    return log::write_tlog_proof(proof);
  }

  /// An entry about the finding with its body; nothing while no quorum holds it.
  Result<std::optional<ShownEntry>> show(const finding::Place& place) {
    TRY(const auto held, finding::held_entry(vault_, membership_, log_, of_.finding, place));
    if (!held) return std::nullopt;
    ShownEntry entry{.nick = place.nick, .note = held->note, .proof = {}, .body = {}};
    TRY(entry.proof, prove(held->origin, place.seq, held->checkpoint));
    name_version(held->header.charter);
    name_version(held->version->hash);
    TRY(entry.body, body_of(place.leaf));
    return entry;
  }

  Result<std::optional<log::Body>> body_of(const Digest& leaf) {
    TRY(const auto row, vault_.entry_body(leaf));
    if (!row) return std::nullopt;
    return log::Body{row->salt, std::string(as_text(row->content))};
  }

  Status take_evidence() {
    TRY(const group::SignedCharter* version, finding::charter_of(of_.finding, membership_));
    std::set<Digest> taken, shown = options_.with_bodies;
    for (const finding::Evidence& evidence : of_.finding.evidence) {
      for (const Digest& ref : evidence.refs) {
        if (!taken.insert(ref).second) continue;
        TRY(const finding::Place place, finding::place_of(vault_, version->charter, ref));
        const auto cut = std::ranges::find(of_.finding.cut, place.nick, &finding::Cut::nick);
        if (cut == of_.finding.cut.end())
          return fail(Errc::not_found, "The evidence refers to a log that the finding does not rest on.");
        const std::string& origin = version->charter.member(place.nick)->keys.log.name;
        ShownEntry entry{.nick = place.nick, .note = {}, .proof = {}, .body = {}};
        TRY(entry.note, leaf_at(origin, place.seq));
        TRY(entry.proof,
            prove(origin, place.seq, of_.checkpoints[static_cast<std::size_t>(cut - of_.finding.cut.begin())]));
        TRY(const log::Entry header, log::read_entry_unverified(entry.note));
        TRY_STATUS(finding::check_evidence(header, place.nick, of_.finding, membership_));
        name_version(header.charter);
        if (shown.erase(ref) > 0) {
          TRY(entry.body, body_of(place.leaf));
          if (!entry.body)
            return fail(Errc::not_found, fmt::format("The body of entry {} of {} is not here.", place.seq, place.nick));
        }
        dossier_.entries.push_back(std::move(entry));
      }
    }
    if (!shown.empty()) return fail(Errc::not_found, "An entry whose body is to be shown is no evidence of it.");
    return {};
  }

  Status take_publications() {
    std::vector<std::string> counted, not_held, unusable;
    TRY(const group::SignedCharter* version, finding::charter_of(of_.finding, membership_));
    for (const std::string& nick : of_.publishers()) {
      // The newest one names all dissent that its author knows.
      const finding::Publication* newest = nullptr;
      for (const finding::Publication& publication : of_.publications)
        if (publication.place.nick == nick && (newest == nullptr || publication.place.seq > newest->place.seq))
          newest = &publication;
      if (!is_usable(newest->body)) {
        unusable.push_back(nick);
        continue;
      }
      TRY(auto entry, show(newest->place));
      if (!entry) {
        not_held.push_back(nick);
        continue;
      }
      dossier_.entries.push_back(*std::move(entry));
      counted.push_back(nick);
    }
    if (finding::are_enough(version->charter, membership_.left(), counted)) return {};
    const std::size_t quorum = finding::finding_quorum(version->charter, membership_.left());
    std::string why =
        fmt::format("{} of {} signers have published it so that a quorum holds it.", counted.size(), quorum);
    if (!not_held.empty())
      why += fmt::format(" What {} wrote is not held by enough yet: exchange the logs (parley finding list --call).",
                         group::in_words(not_held));
    if (!unusable.empty())
      why += fmt::format(
          " What {0} wrote names what is not here or does not count: exchange the logs; if it stays so, "
          "have {0} publish again (parley finding publish).",
          group::in_words(unusable));
    return fail(Errc::policy, std::move(why));
  }

  /// All that are known, whether a publication names them or not. Before publications, which may name only these.
  Status take_withdrawals() {
    for (const finding::Withdrawn& one : of_.withdrawals) {
      TRY(auto entry, show(one.place));
      if (entry) {
        dossier_.entries.push_back(*std::move(entry));
        withdrawals_.push_back(one);
      } else if (without_.erase(one.place.leaf) == 0) {
        return fail(Errc::policy,
                    fmt::format("{0} has withdrawn from this finding, and no quorum holds that yet. A dossier that is "
                                "made now would keep it back; make it once the others have its log. If {0} keeps from "
                                "them what else stands there, --without {0}:{1} makes the dossier all the same.",
                                visible(one.place.nick), one.place.seq));
      }
    }
    return {};
  }

  /// A publisher that names what nobody has, or can show, must not keep the others' publications from being used.
  bool is_usable(const finding::PublishBody& body) const {
    return std::ranges::all_of(body.signers, [&](const std::string& nick) { return of_.signed_by(nick); }) &&
           std::ranges::all_of(body.dissents,
                               [&](const Digest& hash) {
                                 return std::ranges::find(of_.dissents, hash, &finding::SignedDissent::hash) !=
                                        of_.dissents.end();
                               }) &&
           std::ranges::all_of(body.withdrawals, [&](const Digest& hash) {
             return std::ranges::any_of(
                 withdrawals_, [&](const finding::Withdrawn& one) { return one.signed_withdrawal.hash == hash; });
           });
  }

  void name_version(const Digest& hash) {
    const auto& versions = membership_.versions();
    const auto found = std::ranges::find(versions, hash, &group::SignedCharter::hash);
    if (found != versions.end()) newest_ = std::max(newest_, static_cast<std::size_t>(found - versions.begin()));
  }

  /// With everybody's leave: who has left is the same for the reader as it was here for all that is judged by it.
  Status take_charters() {
    name_version(of_.finding.charter);
    TRY(const auto papers, group::papers_of_kind(vault_, membership_.group().id, group::kPaperLeave));
    for (const vault::GroupPaper& paper : papers) {
      const auto leave = group::read_leave(paper.text, membership_.versions());
      if (!leave) continue;
      dossier_.leaves.push_back(paper.text);
      name_version(leave->charter);
    }
    for (std::size_t i = 0; i <= newest_; ++i) dossier_.charters.push_back(membership_.versions()[i].note);
    return {};
  }

  /// Whatever the reader needs to know which keys signed what is shown.
  Status take_rotations() {
    std::vector<log::Note> checkpoints;
    std::map<std::string, std::uint64_t> last;  // entry of a log that is shown
    for (const std::string& note : dossier_.checkpoints) {
      TRY(checkpoints.emplace_back(), log::parse_note(note));
    }
    for (const ShownEntry& entry : dossier_.entries) {
      TRY(const log::TlogProof proof, log::parse_tlog_proof(entry.proof));
      TRY(checkpoints.emplace_back(), log::parse_note(proof.checkpoint));
      TRY(const log::Entry header, log::read_entry_unverified(entry.note));
      last[entry.nick] = std::max(last[entry.nick], header.seq);
    }
    // Of each member by the last version that names it, also of whom a later one does not.
    std::map<std::string, log::MemberKeys> members;
    for (std::size_t i = 0; i <= newest_; ++i) {
      TRY(const auto keys, group::member_keys(vault_, membership_.versions()[i].charter));
      for (const log::MemberKeys& one : keys) members.insert_or_assign(one.nick, one);
    }
    for (const auto& [nick, keys] : members) {
      std::set<std::uint64_t> needed;
      for (const log::Note& checkpoint : checkpoints)
        for (const log::PlacedRotation& placed : detail::rotations_cosigned_with(keys, checkpoint)) {
          needed.insert(placed.seq);
          last[nick] = std::max(last[nick], placed.seq);
        }
      for (const log::PlacedRotation& placed : keys.rotated)
        if (needed.contains(placed.seq) ||
            (placed.rotation.role == log::KeyRole::node && last.contains(nick) && placed.seq <= last[nick]))
          dossier_.rotations.push_back({nick, placed.leaf, log::body_of(placed)});
    }
    return {};
  }

  Status take_cards(const group::Card& own_card) {
    TRY(const auto peers, vault_.peers());
    std::map<Digest, std::string> known = {{crypto::sha256(as_bytes(own_card.note)), own_card.note}};
    for (const vault::Peer& peer : peers) known.emplace(crypto::sha256(as_bytes(peer.card)), peer.card);
    TRY(const group::SignedCharter* version, finding::charter_of(of_.finding, membership_));
    for (const group::CharterMember& member : version->charter.members)
      if (const auto card = known.find(member.card); card != known.end()) dossier_.cards.push_back(card->second);
    return {};
  }

  vault::Vault& vault_;
  const group::Membership& membership_;
  group::JointLog& log_;
  const finding::Case& of_;
  const MakeOptions& options_;
  std::set<Digest> without_ = options_.without;       // that nothing has met with yet
  std::vector<finding::Withdrawn> withdrawals_ = {};  // that are shown
  Dossier dossier_;
  std::size_t newest_ = 0;
};

/// All that stix_bundle() needs, read from the parts.
Result<Contents> contents_of(const Dossier& dossier, const std::vector<finding::Withdrawn>& withdrawals,
                             const finding::Case& of, const group::Membership& membership) {
  Contents contents;
  TRY(const group::SignedCharter* version, finding::charter_of(of.finding, membership));
  contents.charter = &version->charter;
  TRY(contents.signed_finding, finding::read_signed_finding(dossier.finding, version->charter));
  TRY(contents.finding, finding::read_finding_text(contents.signed_finding.text));
  TRY_STATUS(finding::open(contents.finding, dossier.openings));
  for (const std::string& note : dossier.dissents) {
    TRY(contents.dissents.emplace_back(), finding::read_dissent(note, version->charter));
  }
  contents.withdrawals = withdrawals;
  contents.left = membership.left();
  for (const std::string& note : dossier.cards) {
    TRY(const group::Card card, group::read_card(note));
    contents.names.emplace(card.nick, card.name);
  }
  return contents;
}

}  // namespace

Result<std::string> make_dossier(vault::Vault& vault, const group::Membership& membership, group::JointLog& log,
                                 const group::Card& own_card, const finding::Case& of, const MakeOptions& options) {
  if (of.note.empty()) return fail(Errc::policy, "Nobody has signed it.");
  // Whoever froze and signed it may run a program that does not hold to the rules.
  TRY(const group::SignedCharter* version, finding::charter_of(of.finding, membership));
  TRY_STATUS(finding::check(finding::lint(of.finding, version->charter, version->hash)));
  // What is kept here counts for us; a reader has the notes alone.
  TRY(const auto keys, group::member_keys(vault, version->charter));
  if (const Status held = finding::check_cut(of.finding, of.checkpoints, version->charter, keys, membership.left());
      !held)
    return fail(held.error().code, held.error().message +
                                       " A reader of a dossier would not take that: freeze the finding anew, on "
                                       "what they have signed with the keys that they have now.");
  Maker maker(vault, membership, log, of, options);
  TRY(Dossier dossier, maker.make(own_card));
  TRY(const Contents contents, contents_of(dossier, maker.withdrawals(), of, membership));
  dossier.stix = stix_bundle(contents);
  std::string text = write_dossier(dossier);
  // Of what was just written only a size can be wrong.
  if (const auto readable = parse_dossier(text); !readable)
    return fail(Errc::limit, fmt::format("The dossier would have {} bytes and be more than its readers take: {}",
                                         text.size(), readable.error().message));
  // What leaves has been checked as its reader will.
  const Verdict verdict = verify_dossier(text, {.charter = membership.anchor()});
  if (!verdict.holds)
    return fail(Errc::internal, fmt::format("The dossier does not verify ({}): {}", verdict.steps.back().title,
                                            verdict.steps.back().detail));
  return text;
}

}  // namespace parley::dossier
