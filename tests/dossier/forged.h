// Dossiers whose parts say what no honest program writes, and are signed all the same by whoever is due.
#pragma once

#include "base/encoding.h"
#include "dossier/stix.h"
#include "dossier/verify.h"
#include "finding/samples.h"
#include "group/member.h"
#include "group/papers.h"
#include "log/tlog_proof.h"

namespace parley::dossier {

using log::Json;

/// One change of one part, before it is signed.
struct Edit {
  std::string part;           ///< a name that Forgery::build() asks for
  std::string pointer;        ///< RFC 6901, without escapes
  std::optional<Json> value;  ///< nothing: it is left out
};

inline Json edited(const Json& json, std::string_view pointer, const std::optional<Json>& value) {
  pointer.remove_prefix(1);
  const std::size_t end = std::min(pointer.find('/'), pointer.size());
  const std::string name(pointer.substr(0, end));
  const std::string_view rest = pointer.substr(end);
  const bool is_last = rest.empty();
  if (json.object() != nullptr) {
    Json::Object copy = *json.object();
    if (is_last && !value)
      copy.erase(name);
    else
      copy.insert_or_assign(name, is_last ? *value : edited(copy.at(name), rest, value));
    return copy;
  }
  Json::Array copy = *json.array();
  const std::size_t place = name == "-" ? copy.size() : std::stoul(name);
  if (place == copy.size())
    copy.push_back(*value);
  else if (is_last && !value)
    copy.erase(copy.begin() + static_cast<std::ptrdiff_t>(place));
  else
    copy[place] = is_last ? *value : edited(copy[place], rest, value);
  return copy;
}

/// The object in the second line of what is signed.
inline Json object_of(std::string_view text) {
  const std::size_t line = text.find('\n') + 1;
  return *log::parse_pjson(text.substr(line, text.rfind("}") + 1 - line), log::kMaxNoteBytes);
}

inline std::string text_of(std::string_view kind, const Json& object) {
  return fmt::format("{}\n{}\n", kind, log::write_pjson(object));
}

/// Four members; alpha, bravo and charlie sign and publish, charlie withdraws, delta dissents. Salts are zeros, so that
/// what is not changed is the same in all of them and a verifier computes its signatures once.
class Forgery {
 public:
  explicit Forgery(std::vector<Edit> edits = {}, std::vector<std::string> amended_by = {},
                   std::vector<std::string> left = {})
      : edits_(std::move(edits)), amended_by_(std::move(amended_by)), left_(std::move(left)) {}

  /// The card in its one-line form, which the charter names.
  Forgery& with_card_as_line() {
    card_is_line_ = true;
    return *this;
  }

  std::string build() {
    dossier_.cards = {group::signed_note(text_of("parley/card/v1", changed("card", alphas_card())), {"alpha"})};
    if (card_is_line_) dossier_.cards[0] = group::read_card(dossier_.cards[0])->line();
    charters();
    logs();
    finding();
    for (const std::string& nick : signers_) publish(nick);
    withdraw();
    dissent();
    std::ranges::sort(dossier_.entries, {}, [](const ShownEntry& entry) {
      return std::pair(entry.nick, log::parse_tlog_proof(entry.proof)->index);
    });
    contents_.charter = &charter_;
    dossier_.stix = stix_bundle(contents_);
    return log::write_pjson(changed("dossier", object_of("\n" + write_dossier(dossier_)))) + "\n";
  }

 private:
  Json changed(std::string_view part, Json json) const {
    for (const Edit& edit : edits_)
      if (edit.part == part) json = edited(json, edit.pointer, edit.value);
    return json;
  }
  static log::Body body_of(const Json& json) { return {{}, log::write_pjson(json)}; }
  static Json alphas_card() { return object_of(group::test_member("alpha").card_note()); }

  void charters() {
    const Digest card = crypto::sha256(as_bytes(dossier_.cards[0]));
    const Json first = changed(
        "charter", edited(object_of(group::charter_text(group::charter_of(4))), "/members/0/card", to_hex(card)));
    take_charter(first, {"alpha", "bravo", "charlie", "delta"});
    for (const std::string& nick : left_) {
      const Json leave = Json::Object{{"charter", to_hex(charter_hash_)}, {"group", group::kGroup},     {"nick", nick},
                                      {"reason", "We are done"},          {"time", group::kBegin + 90}, {"v", 1}};
      dossier_.leaves.push_back(group::signed_note(text_of("parley/leave/v1", changed("leave", leave)), {nick}));
      contents_.left.insert(nick);
    }
    if (amended_by_.empty()) return;
    const Json next = edited(edited(first, "/seq", 2), "/prev", to_hex(charter_hash_));
    take_charter(changed("amendment", next), amended_by_);
  }
  void take_charter(const Json& json, const std::vector<std::string>& signers) {
    const std::string text = text_of(group::kCharterKind, json);
    charter_hash_ = group::charter_hash(text);
    dossier_.charters.push_back(group::signed_note(text, signers));
    charter_ = group::read_charter_unverified({text, {}}).value_or(group::charter_of(4));
  }

  struct Log {
    std::vector<std::string> leaves;
    std::vector<Digest> hashes;
    Digest last{};
  };
  void append(const std::string& nick, std::string_view type, const log::Body& body, std::string_view part) {
    Log& log = logs_[nick];
    const auto seq = static_cast<std::int64_t>(log.leaves.size());
    const Json header = Json::Object{{"aud", Json::Array{Json("*")}},
                                     {"author", nick},
                                     {"body", to_hex(body.commitment())},
                                     {"charter", to_hex(charter_hash_)},
                                     {"prev", to_hex(log.last)},
                                     {"refs", Json::Array{}},
                                     {"seq", seq},
                                     {"session", ""},
                                     {"time", group::kBegin + 100 + seq},
                                     {"type", type},
                                     {"v", 1}};
    const group::TestMember& member = group::test_member(nick);
    log.leaves.push_back(
        log::sign_object(log::kEntryKind, changed(part, header), member.in_group().keys.node.name, member.node));
    log.last = log::leaf_hash(as_bytes(log.leaves.back()));
    log.hashes.push_back(log.last);
  }
  std::string checkpoint(const std::string& nick) {
    const group::TestMember& owner = group::test_member(nick);
    const Log& log = logs_[nick];
    const log::Checkpoint tree{owner.in_group().keys.log.name, log.leaves.size(), log::MerkleTree(log.hashes).root()};
    std::string note = log::sign_checkpoint(tree, owner.log);
    for (const group::CharterMember& one : charter_.members) {
      if (one.keys.nick == nick) continue;
      const Secret<32>& seed = group::test_member(one.keys.nick).cosign;
      note = *log::add_cosignature(note, log::cosign(tree, one.keys.cosign.name, seed, group::kBegin + 50),
                                   log::vkey_of(one.keys.cosign.name, log::KeyType::cosignature, seed));
    }
    return note;
  }
  void show(const std::string& nick, std::size_t seq, std::optional<log::Body> body) {
    const Log& log = logs_[nick];
    const log::TlogProof proof{.extra = {},
                               .index = seq,
                               .path = log::MerkleTree(log.hashes).inclusion_proof(seq),
                               .checkpoint = checkpoint(nick)};
    dossier_.entries.push_back({nick, log.leaves[seq], log::write_tlog_proof(proof), std::move(body)});
  }

  void logs() {
    const log::Body nothing = body_of(Json::Object{{"v", 1}});
    for (const std::string nick : {"alpha", "bravo", "charlie"}) append(nick, log::kLogOpen, nothing, "opening entry");
    for (const std::string nick : {"alpha", "bravo"}) append(nick, log::kHeads, nothing, nick + "'s entry");
  }

  void finding() {
    finding::Finding base = finding::sample_finding(charter_);
    base.charter = charter_hash_;
    base.cut.clear();
    for (const std::string nick : {"alpha", "bravo"}) {
      const Log& log = logs_[nick];
      base.cut.push_back({nick, log.leaves.size(), log::MerkleTree(log.hashes).root()});
      dossier_.checkpoints.push_back(checkpoint(nick));
      show(nick, 1, std::nullopt);
    }
    base.evidence[0].refs = {logs_["alpha"].last};
    base.evidence[1].refs = {logs_["bravo"].last};
    for (const finding::Placed& placed : finding::redactable_texts(base)) {
      if (!placed.text->redactable) continue;
      const finding::Opening& opening = dossier_.openings.emplace_back(placed.path, log::Salt{}, placed.text->text);
      placed.text->commitment = opening.commitment();
    }
    const std::string text = text_of(finding::kFindingKind, changed("finding", object_of(finding::finding_text(base))));
    finding_hash_ = finding::finding_hash(text);
    dossier_.finding = group::signed_note(text, signers_);
    contents_.signed_finding.hash = finding_hash_;
    contents_.signed_finding.signers = signers_;
    if (const auto card = group::read_card(dossier_.cards[0])) contents_.names = {{"alpha", card->name}};
    // The bundle is that of a reader that sees nothing wrong.
    const auto read = finding::read_finding_text(text);
    const bool is_complete = read && !finding::refuses(finding::lint(*read, charter_, charter_hash_));
    contents_.finding = is_complete ? *read : base;
    (void)finding::open(contents_.finding, dossier_.openings);
  }

  void publish(const std::string& nick) {
    const finding::PublishBody publication{finding_hash_, {"alpha", "bravo", "charlie"}, {}};
    const log::Body body = body_of(changed(nick + "'s publication", publication.to_json()));
    append(nick, log::kFindingPublish, body, nick + "'s publishing entry");
    show(nick, logs_[nick].leaves.size() - 1, body);
  }

  void withdraw() {
    const finding::Withdrawal base{finding_hash_, group::kGroup, "charlie", group::kBegin + 200, "It was a test."};
    const std::string text = text_of(finding::kWithdrawalKind, changed("withdrawal", object_of(base.text())));
    const finding::NoteBody note{finding_hash_, group::signed_note(text, {"charlie"})};
    const log::Body body = body_of(changed("withdrawal's body", note.to_json()));
    append("charlie", log::kFindingWithdraw, body, "withdrawing entry");
    show("charlie", logs_["charlie"].leaves.size() - 1, body);
    const auto read = finding::read_withdrawal(note.note, charter_);
    contents_.withdrawals = {
        {{.nick = "charlie"}, {read ? read->withdrawal : base, note.note, crypto::sha256(as_bytes(text))}}};
  }

  void dissent() {
    const finding::Dissent base{finding_hash_,
                                group::kGroup,
                                "delta",
                                group::kBegin + 200,
                                {{"judgement", finding::Likelihood::unlikely, "The tools are sold."},
                                 {"e2", {}, "The build time can be forged."}}};
    const std::string text = text_of(finding::kDissentKind, changed("dissent", object_of(base.text())));
    if (charter_.member("delta") == nullptr) return;
    dossier_.dissents = {group::signed_note(text, {"delta"})};
    const auto read = finding::read_dissent(dossier_.dissents[0], charter_);
    contents_.dissents = {{read ? read->dissent : base, dossier_.dissents[0], crypto::sha256(as_bytes(text))}};
  }

  std::vector<Edit> edits_;
  std::vector<std::string> amended_by_, left_;
  bool card_is_line_ = false;
  const std::vector<std::string> signers_ = {"alpha", "bravo", "charlie"};
  group::Charter charter_;  // the newest
  Digest charter_hash_{}, finding_hash_{};
  std::map<std::string, Log, std::less<>> logs_;
  Dossier dossier_;
  Contents contents_;
};

}  // namespace parley::dossier
