// A member that cheats in a session in a way that the session itself does not show, and is audited afterwards: a real
// node with one behaviour changed. Whatever it opens to the auditor then, the auditor finds it.
#include <fmt/format.h>

#include "audit/export.h"
#include "audit/logged_session.h"
#include "audit/reexecution.h"
#include "log/tlog_proof.h"
#include "psi/memory_channel.h"
#include "session/audit_keeping.h"
#include "session/secrets.h"
#include "support/deviations.h"

namespace parley::session {
namespace {

using testing::HasSubstr;

constexpr std::array kSides = {Side::asker, Side::responder};

std::vector<log::MemberKeys> keys_of(const group::SignedCharter& charter) {
  std::vector<log::MemberKeys> members;
  for (const group::CharterMember& member : charter.charter.members) members.push_back(member.keys);
  return members;
}

// More than 1,024, so that the fast protocol runs where it is asked for.
std::vector<vault::TestRecord> much_material(const std::string& malware, int own) {
  std::vector<vault::TestRecord> records = material(malware);
  for (int i = 0; i < own; ++i)
    records.push_back(record(indicator::Type::domain, fmt::format("{}-{}.example", malware, i), malware));
  return records;
}

/// Two members, of whom either is audited by a third.
class AuditedCheat : public testing::Test {
 protected:
  void hold(std::uint16_t suite, const Deviation& asker_deviates = {}, const Deviation& answerer_deviates = {},
            const Question& question = which_addresses_and_names()) {
    const auto met = try_to_hold(suite, asker_deviates, answerer_deviates, question);
    ASSERT_OK(met.began);
    ASSERT_OK(met.answered);
    id_ = *met.began;
  }
  Both<std::string> try_to_hold(std::uint16_t suite, const Deviation& asker_deviates,
                                const Deviation& answerer_deviates, const Question& question) {
    Limits limits = test_limits();
    limits.suites = {suite};
    return meet<std::string>(
        asker_, answerer_, asker_deviates, answerer_deviates,
        [&](Party us, group::LogLink& link) { return ask(us, link, question, limits, {}); },
        [&](Party us, group::LogLink& link) -> Result<std::string> {
          TRY(const ReceivedStep step, first_step(link));
          return session::answer(us, link, step, limits, accept_everything);
        });
  }

  Opened& member(Side side) { return side == Side::asker ? asker_ : answerer_; }

  /// What the member opens to the auditor, and the auditor reads.
  audit::Audited opened_by(Side side) {
    Opened& who = member(side);
    const auto opened = audit::open_session(*who.vault, id_, who.member.card.nick);
    EXPECT_OK(opened);
    auto record = open_record(*who.vault, id_);
    EXPECT_OK(record);
    const std::filesystem::path path = folder_ / (id_ + std::to_string(files_++));
    EXPECT_OK(audit::write_audit_file(path, crypto::public_key_of(auditor_), *opened, *std::move(record)));
    auto audited = audit::open_audit_file(path, auditor_);
    EXPECT_OK(audited);
    return *std::move(audited);
  }

  Result<audit::Report> report_on(const audit::Audited& audited) {
    ThreadPool pool(2);
    SilentProgress progress;
    return audit::audit(audited, keys_of(charter_of(asker_, answerer_)), {}, pool, progress);
  }

  void expect_honest(const audit::Audited& audited) {
    const auto report = report_on(audited);
    ASSERT_OK(report);
    EXPECT_TRUE(report->passes()) << report->difference.value_or("");
    ASSERT_EQ(report->proves.size(), 1U);
    EXPECT_THAT(report->proves.front(), HasSubstr("on exactly the set that it had committed to"));
  }
  void expect_found(const audit::Audited& audited, std::string_view difference) {
    const auto report = report_on(audited);
    ASSERT_OK(report);
    ASSERT_FALSE(report->passes()) << "it was not found";
    EXPECT_THAT(*report->difference, HasSubstr(std::string(difference)));
    EXPECT_THAT(report->proves.front(), HasSubstr("did not run the agreed program"));
  }

  static constexpr std::uint16_t kClassic = 0x0010, kFast = 0x0001;
  TestMember bravo_home_{"Bravo CERT", much_material("Sednit", 1'100)},
      alpha_home_{"Alpha CERT", much_material("XAgent", 1'200)};
  Opened asker_{bravo_home_}, answerer_{alpha_home_};
  const Secret<32> auditor_ = random_secret<32>();
  vault::TemporaryFolder folder_;
  int files_ = 0;
  std::string id_;
};

// --- who is honest ---------------------------------------------------------------------------------------------------

TEST_F(AuditedCheat, HonestMembersOfEitherRoleAndProtocolPass) {
  for (const std::uint16_t suite : {kClassic, kFast}) {
    for (const Direction direction : {Direction::both, Direction::mine, Direction::theirs}) {
      for (const Function function : {Function::intersection, Function::count}) {
        SCOPED_TRACE(testing::Message() << suite << " " << name_of(direction) << " " << name_of(function));
        Question question = which_addresses_and_names();
        question.direction = direction;
        question.function = function;
        hold(suite, {}, {}, question);
        for (const Side side : kSides) expect_honest(opened_by(side));
      }
    }
  }
}

// Of a key that was replaced a charter knows nothing: whoever is given one must not take its bearer for a cheat.
TEST_F(AuditedCheat, IsNobodyWhoseKeyIsAnotherThanTheOneThatTheAuditorWasGiven) {
  hold(kClassic);
  std::vector<log::MemberKeys> members = keys_of(charter_of(asker_, answerer_));
  members.front().node = log::vkey_of(members.front().node.name, log::KeyType::ed25519, random_secret<32>());
  ThreadPool pool(2);
  SilentProgress progress;
  for (const Side side : kSides) {
    const auto report = audit::audit(opened_by(side), members, {}, pool, progress);
    ASSERT_FAILS(report, Errc::signature);
    EXPECT_THAT(report.error().message, HasSubstr("parley group show NAME --members"));
  }
}

TEST_F(AuditedCheat, AnHonestMemberPassesWhateverTheOtherSideSignedOfTheResult) {
  hold(kFast, changing(kResult, [](auto& body) { body.insert_or_assign("transcript", std::string(64, 'f')); }));
  ASSERT_EQ(state_of(*answerer_.vault, id_), kDisputed);
  const auto honest = report_on(opened_by(Side::responder));
  ASSERT_OK(honest);
  EXPECT_TRUE(honest->passes());
  EXPECT_FALSE(honest->vouched) << "it could have made up what it received";
  EXPECT_THAT(honest->proves, testing::Not(testing::Contains(HasSubstr("honestly"))));
  EXPECT_THAT(honest->proves_not, testing::Contains(HasSubstr("it signed another transcript")));
  expect_found(opened_by(Side::asker), "are not those of the session");
}

/// A result that says nothing, or that nobody was told: by it a cheat would keep others from showing that they were
/// honest. It counts as none.
TEST_F(AuditedCheat, AnHonestMemberIsAuditedWhateverTheOtherSideMadeOfItsResult) {
  const std::map<std::string, Deviation> results = {
      {"what it signed as its result cannot be read", changing(kResult, [](auto& body) { body.erase("count"); })},
      {"no result of it is in the file", writing(kResult, [](mirror::Draft& draft) { draft.audience = {}; })}};
  for (const auto& [why, deviation] : results) {
    for (const Side honest : kSides) {
      SCOPED_TRACE(testing::Message() << why << ", the " << (honest == Side::asker ? "asker" : "answerer")
                                      << " is honest");
      const Deviation none;
      try_to_hold(kFast, honest == Side::asker ? none : deviation, honest == Side::asker ? deviation : none,
                  which_addresses_and_names());
      id_ = newest_session(*member(honest).vault);
      const auto report = report_on(opened_by(honest));
      ASSERT_OK(report);
      EXPECT_TRUE(report->passes()) << report->difference.value_or("");
      EXPECT_FALSE(report->vouched);
      EXPECT_FALSE(report->shown());
      EXPECT_THAT(report->proves_not, testing::Contains(HasSubstr(why)));
    }
  }
}

TEST_F(AuditedCheat, AnUnreadableResultOfTheAuditedSideShowsNoSession) {
  try_to_hold(kFast, changing(kResult, [](auto& body) { body.erase("count"); }), {}, which_addresses_and_names());
  id_ = newest_session(*asker_.vault);
  EXPECT_FAILS(report_on(opened_by(Side::asker)), Errc::format);
}

TEST_F(AuditedCheat, WhoSignedAnotherResultThanItsProgramFindsIsFound) {
  hold(kFast, changing(kResult, [](auto& body) { body.insert_or_assign("count", std::int64_t{4}); }));
  expect_found(opened_by(Side::asker), "signed that it learned 4");
  hold(kClassic, changing(kResult, [](auto& body) { body.insert_or_assign("result_root", std::string(64, '0')); }));
  expect_found(opened_by(Side::asker), "The root over the matches that it signed");
  expect_honest(opened_by(Side::responder));
}

// --- who cheats ------------------------------------------------------------------------------------------------------

/// Another seed commitment than that of the seed it uses: what whoever grinds its seed afterwards must do.
TEST_F(AuditedCheat, AnotherSeedThanCommittedToIsFound) {
  for (const std::uint16_t suite : {kClassic, kFast}) {
    hold(suite, changing(kCommit, [](auto& body) { body.insert_or_assign("seed_commit", std::string(64, '1')); }));
    expect_found(opened_by(Side::asker), "The seed is not the one");
  }
}

TEST_F(AuditedCheat, AnotherSetThanCommittedToIsFound) {
  for (const std::uint16_t suite : {kClassic, kFast}) {
    hold(suite, {}, changing(kCommit, [](auto& body) { body.insert_or_assign("items_root", std::string(64, '2')); }));
    expect_found(opened_by(Side::responder), "items_root");
    expect_honest(opened_by(Side::asker));
  }
}

/// Opens a set that differs in one element from the committed one: what it would have to show to explain its messages.
TEST_F(AuditedCheat, ASetThatDiffersInOneElementFromTheCommittedOneIsFound) {
  hold(kFast);
  for (const Side side : kSides) {
    audit::Audited audited = opened_by(side);
    psi::Elements other;
    for (std::size_t i = 0; i < audited.record.set.elements.size(); ++i) {
      Bytes element = to_bytes(audited.record.set.elements[i]);
      if (i == 1) element.back() ^= std::byte{1};
      other.push_back(element);
    }
    audited.record.set.elements = std::move(other);
    expect_found(audited, "items_root");
  }
}

/// Withholds one match: a receiver that says less than it found.
class WithholdingChannel final : public psi::Channel {
 public:
  explicit WithholdingChannel(psi::Channel& inner) : inner_(inner) {}
  Status send(psi::MessageType type, ByteView payload) override {
    if (type == psi::MessageType::proofs) payload = payload.first(payload.size() - 20);
    if (type == psi::MessageType::matched_tags) payload = payload.first(payload.size() - 16);
    return inner_.send(type, payload);
  }
  Status flush() override { return inner_.flush(); }
  Result<Bytes> receive(psi::MessageType type, std::size_t size) override { return inner_.receive(type, size); }
  Result<Bytes> receive_up_to(psi::MessageType type, std::size_t limit) override {
    return inner_.receive_up_to(type, limit);
  }
  std::uint64_t bytes_sent() const override { return inner_.bytes_sent(); }
  std::uint64_t bytes_received() const override { return inner_.bytes_received(); }
  std::uint64_t rounds() const override { return inner_.rounds(); }

 private:
  psi::Channel& inner_;
};

/// Both sides' runs as a session has them, with one side's program changed; and the audit of that side over the entries
/// that both would have signed.
class ChangedProgram : public AuditedCheat {
 protected:
  using Change = std::function<psi::Elements(const psi::Elements&)>;

  /// The session is held honestly first; then the run is held once more between two programs, of which the responder's
  /// (who receives) enters `change` of its set, or withholds. What it signs is what that run gave.
  void hold_changed(std::uint16_t suite, const Change& change, bool withholds) {
    std::vector<psi::RecordedMessage> record;
    Digest transcript{};
    hold(suite);
    audit::Audited honest = opened_by(Side::responder);
    const audit::Audited other = opened_by(Side::asker);
    rerun(suite, honest, other, change, withholds, record, transcript);
    cheat_ = std::move(honest);
    cheat_.record.messages = std::move(record);
    signed_transcript_ = transcript;
  }

  void rerun(std::uint16_t suite, const audit::Audited& receiver, const audit::Audited& sender, const Change& change,
             bool withholds, std::vector<psi::RecordedMessage>& record, Digest& transcript) {
    psi::MemoryChannels channels = psi::memory_channels(kPatience);
    const Digest sid = run_id_of(receiver);
    const psi::Elements entered = change(receiver.record.set.elements);
    auto other = std::async(std::launch::async, [&] {
      ThreadPool pool(1);
      SilentProgress progress;
      auto ended = (*psi::protocol_of_suite(suite))
                       ->run({psi::Role::sender, psi::Reply::matched_tags, sid, receiver.record.set.elements.size()},
                             sender.record.set.elements, sender.record.seed, *channels.second, pool, progress);
      channels.second.reset();
      return ended.has_value();
    });
    ThreadPool pool(1);
    SilentProgress progress;
    psi::RecordingChannel recording(*channels.first, [&](bool sent, psi::MessageType type, ByteView payload) {
      record.push_back({sent, type, payload.size(), crypto::sha256(payload), sent ? Bytes() : to_bytes(payload)});
    });
    WithholdingChannel withholding(recording);
    const auto outcome =
        (*psi::protocol_of_suite(suite))
            ->run({psi::Role::receiver, psi::Reply::matched_tags, sid, sender.record.set.elements.size()}, entered,
                  receiver.record.seed, withholds ? static_cast<psi::Channel&>(withholding) : recording, pool,
                  progress);
    channels.first.reset();
    EXPECT_TRUE(other.get()) << "the other side noticed: then there is nothing for an audit to find";
    ASSERT_OK(outcome);
    transcript = psi::transcript_of(sid, psi::Role::receiver, record);
  }

  Digest run_id_of(const audit::Audited& audited) {
    const auto logged = audit::read_logged_session(audited.opened, keys_of(charter_of(asker_, answerer_)));
    EXPECT_OK(logged);
    return run_id(logged->naming);
  }

  /// Both sign the transcript of the changed run, which is what they saw.
  void expect_found_in_the_run(std::string_view message) {
    for (audit::ProvenEntry& entry : cheat_.opened.entries) {
      const auto header = log::read_entry_unverified(entry.note);
      ASSERT_OK(header);
      if (header->type == kResult) sign_again(entry, *header);
    }
    expect_found(cheat_, message);
  }

  // The entry as its author would have written it, in a tree of its own that all members sign.
  void sign_again(audit::ProvenEntry& proven, log::Entry entry) {
    Opened& author = entry.author == asker_.member.card.nick ? asker_ : answerer_;
    Opened& witness = &author == &asker_ ? answerer_ : asker_;
    const std::string group = charter_of(asker_, answerer_).charter.group;
    const auto body = log::parse_pjson(proven.body.text, log::kMaxBodyBytes);
    ASSERT_OK(body);
    log::Json::Object object = *body->object();
    object.insert_or_assign("transcript", to_hex(signed_transcript_));
    const auto made = log::make_body(object);
    ASSERT_OK(made);
    proven.body = *made;
    entry.body = made->commitment();
    const group::GroupKeys keys = author.home.keys_of(*author.vault, group);
    const group::GroupKeys witness_keys = witness.home.keys_of(*witness.vault, group);
    const auto note = log::make_entry(entry, keys.keys.node.name, keys.node);
    ASSERT_OK(note);
    proven.note = *note;
    std::vector<Digest> leaves(entry.seq + 1);
    leaves.back() = log::leaf_hash(as_bytes(proven.note));
    const log::MerkleTree tree(std::move(leaves));
    const log::Checkpoint checkpoint{keys.keys.log.name, tree.size(), tree.root()};
    auto signed_note = log::add_cosignature(
        log::sign_checkpoint(checkpoint, keys.log),
        log::cosign(checkpoint, witness_keys.keys.cosign.name, witness_keys.cosign, 1), witness_keys.keys.cosign);
    ASSERT_OK(signed_note);
    proven.proof = log::write_tlog_proof(
        {.extra = {}, .index = entry.seq, .path = tree.inclusion_proof(entry.seq), .checkpoint = *signed_note});
  }

  audit::Audited cheat_;
  Digest signed_transcript_{};
};

const auto kUnchanged = [](const psi::Elements& elements) {
  psi::Elements same;
  for (std::size_t i = 0; i < elements.size(); ++i) same.push_back(elements[i]);
  return same;
};

TEST_F(ChangedProgram, ThatRanAsItShouldPasses) {
  for (const std::uint16_t suite : {kClassic, kFast}) {
    hold_changed(suite, kUnchanged, false);
    expect_honest(cheat_);
  }
}

TEST_F(ChangedProgram, ThatEnteredAGuessInThePlaceOfACommittedElementIsFound) {
  const auto with_a_guess = [](const psi::Elements& elements) {
    psi::Elements changed;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      Bytes element = to_bytes(elements[i]);
      if (i + 1 == elements.size()) {
        element = {std::byte{1}, std::byte{0}, std::byte{9}};
        append(element, as_bytes("192.0.2.1"));
      }
      changed.push_back(element);
    }
    return changed;
  };
  hold_changed(kClassic, with_a_guess, false);
  expect_found_in_the_run("(blinded)");
  hold_changed(kFast, with_a_guess, false);
  expect_found_in_the_run("(encoding)");
}

/// The slack of the fast protocol (psi.md 2.5): with the padding left out, real guesses take its cells, and no count
/// that the other side sees changes.
TEST_F(ChangedProgram, ThatFilledThePaddingWithHiddenGuessesIsFound) {
  const auto hidden = [](const psi::Elements& elements) {
    psi::Elements changed;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      Bytes element = to_bytes(elements[i]);
      if (is_padding(element, Side::responder)) {
        const std::string guess = fmt::format("guess-{}.example", i);
        element = {std::byte{4}};
        append_be(element, static_cast<std::uint16_t>(guess.size()));
        append(element, as_bytes(guess));
      }
      changed.push_back(element);
    }
    return changed;
  };
  for (const std::uint16_t suite : {kClassic, kFast}) {
    hold_changed(suite, hidden, false);
    expect_found_in_the_run(suite == kClassic ? "(blinded)" : "(encoding)");
  }
}

TEST_F(ChangedProgram, ThatKeptAMatchBackIsFound) {
  hold_changed(kClassic, kUnchanged, true);
  expect_found_in_the_run("(matched_tags)");
  hold_changed(kFast, kUnchanged, true);
  expect_found_in_the_run("(proofs)");
}

// --- altered files ---------------------------------------------------------------------------------------------------

TEST_F(AuditedCheat, EveryAlteredMessageIsFound) {
  for (const std::uint16_t suite : {kClassic, kFast}) {
    hold(suite);
    for (const Side side : kSides) {
      const std::size_t count = opened_by(side).record.messages.size();
      for (std::size_t i = 0; i < count; ++i) {
        audit::Audited audited = opened_by(side);
        psi::RecordedMessage& message = audited.record.messages[i];
        if (!message.sent) {
          if (message.payload.empty()) continue;
          message.payload[message.payload.size() / 2] ^= std::byte{1};
          message.hash = crypto::sha256(message.payload);
        } else {
          message.hash[7] ^= std::byte{1};
        }
        expect_found(audited, "are not those of the session");
      }
    }
  }
}

TEST_F(AuditedCheat, TheOtherSidesEntriesAndOtherKeysShowNoSession) {
  hold(kFast);
  const auto refused = [&](const std::function<void(audit::Opened&)>& change, Errc code) {
    audit::Audited audited = opened_by(Side::asker);
    change(audited.opened);
    const auto report = report_on(audited);
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().code, code) << report.error().text();
  };
  const audit::Opened whole = opened_by(Side::asker).opened;
  for (std::size_t i = 0; i < whole.entries.size(); ++i) {
    SCOPED_TRACE(i);
    const bool other_sides_result =
        whole.entries[i].log != whole.audited && log::read_entry_unverified(whole.entries[i].note)->type == kResult;
    if (!other_sides_result)
      refused([i](auto& opened) { opened.entries.erase(opened.entries.begin() + static_cast<std::ptrdiff_t>(i)); },
              Errc::protocol);
    refused([i](auto& opened) { opened.entries.push_back(opened.entries[i]); }, Errc::protocol);
    refused([i](auto& opened) { opened.entries[i].body.salt[0] ^= std::byte{1}; }, Errc::signature);
    refused([i](auto& opened) { opened.entries[i].note[80] ^= 1; }, Errc::signature);
    refused([i](auto& opened) { opened.entries[i].log = "nobody"; }, Errc::protocol);
  }
  refused([](auto& opened) { opened.session[0] = opened.session[0] == '0' ? '1' : '0'; }, Errc::protocol);
  refused([](auto& opened) { opened.audited = "nobody"; }, Errc::protocol);
}

TEST_F(AuditedCheat, ThatTheOtherSideSignedIsNotSaidWhereItsResultIsLeftOut) {
  hold(kFast);
  audit::Audited audited = opened_by(Side::asker);
  std::erase_if(audited.opened.entries, [&](const audit::ProvenEntry& entry) {
    return entry.log != audited.opened.audited && log::read_entry_unverified(entry.note)->type == kResult;
  });
  const auto report = report_on(audited);
  ASSERT_OK(report);
  EXPECT_TRUE(report->passes());
  EXPECT_FALSE(report->vouched);
  EXPECT_THAT(report->proves_not, testing::Contains(HasSubstr("vouches for what it received")));
}

TEST_F(AuditedCheat, ARootOverMatchesDoesNotPassWithoutTheSharesOfItsKey) {
  hold(kFast);
  audit::Audited audited = opened_by(Side::responder);
  ASSERT_TRUE(audited.record.shares.has_value());
  audited.record.shares.reset();
  expect_found(std::move(audited), "the shares of the key that it is made with are not in the file");
}

TEST_F(AuditedCheat, NobodyButTheAuditorOpensTheFileAndNotAByteOfItMayChange) {
  hold(kClassic);
  const auto opened = audit::open_session(*asker_.vault, id_, asker_.member.card.nick);
  ASSERT_OK(opened);
  const std::filesystem::path path = folder_ / "file";
  ASSERT_OK(audit::write_audit_file(path, crypto::public_key_of(auditor_), *opened, *open_record(*asker_.vault, id_)));
  EXPECT_FAILS(audit::open_audit_file(path, random_secret<32>()), Errc::passphrase);
  EXPECT_FAILS(audit::open_audit_file(folder_ / "nothing", auditor_), Errc::not_found);
  EXPECT_FAILS(
      audit::write_audit_file(path, crypto::public_key_of(auditor_), *opened, *open_record(*asker_.vault, id_)),
      Errc::exists);
  const Bytes whole = vault::read_whole(path);
  for (std::size_t i = 0; i < whole.size(); i += whole.size() / 97 + 1) {
    Bytes altered = whole;
    altered[i] ^= std::byte{4};
    vault::write_whole(folder_ / "altered", altered);
    EXPECT_FALSE(audit::open_audit_file(folder_ / "altered", auditor_)) << i;
  }
  for (const std::size_t keep : {std::size_t{0}, std::size_t{50}, whole.size() / 2, whole.size() - 1}) {
    vault::write_whole(folder_ / "cut", ByteView(whole).first(keep));
    EXPECT_FALSE(audit::open_audit_file(folder_ / "cut", auditor_)) << keep;
  }
}

// --- what is kept ----------------------------------------------------------------------------------------------------

TEST_F(AuditedCheat, RecordsGoWhenTheirTimeIsOverOrTheyAreForgotten) {
  hold(kClassic);
  const auto kept = kept_record(*asker_.vault, id_);
  ASSERT_OK(kept);
  ASSERT_TRUE(kept->has_value());
  const auto seen = [&](UnixSeconds latest) {
    auto row = asker_.vault->group(charter_of(asker_, answerer_).charter.group);
    ASSERT_OK(row);
    row->latest = latest;
    ASSERT_OK(asker_.vault->put_group(*row));
  };
  seen((*kept)->until - 1);
  EXPECT_EQ(end_old_records(*asker_.vault).value(), 0U);
  seen((*kept)->until);
  EXPECT_EQ(end_old_records(*asker_.vault).value(), 1U);
  EXPECT_THAT(why_not_kept(*asker_.vault, id_).value(), HasSubstr("for as long as"));
  EXPECT_FALSE(kept_record(*asker_.vault, id_)->has_value());
  EXPECT_FAILS(open_record(*asker_.vault, id_), Errc::not_found);
  EXPECT_FALSE(asker_.vault->secret(audit_name(id_))->has_value()) << "its key is gone as well";
  ASSERT_OK(forget_record(*answerer_.vault, id_));
  EXPECT_FAILS(forget_record(*answerer_.vault, id_), Errc::not_found);
  EXPECT_THAT(why_not_kept(*answerer_.vault, id_).value(), HasSubstr("by hand"));
}

TEST_F(AuditedCheat, RecordsDoNotOpenOnceTheSecretsOfTheirSessionAreDestroyed) {
  hold(kClassic);
  ASSERT_OK(asker_.vault->remove_secrets("session/" + id_ + "/"));  // as the end of a group does
  EXPECT_FALSE(kept_record(*asker_.vault, id_)->has_value());
  EXPECT_FAILS(open_record(*asker_.vault, id_), Errc::not_found);
  EXPECT_EQ(end_old_records(*asker_.vault).value(), 1U) << "the file goes as well";
  EXPECT_THAT(why_not_kept(*asker_.vault, id_).value(), HasSubstr("ended or was left"));
}

// What decides is the time that the group's logs have come to. It never goes back, and a clock does not move it alone.
TEST_F(AuditedCheat, RecordsEndByTheTimeOfTheLog) {
  hold(kClassic);
  const std::string group = charter_of(asker_, answerer_).charter.group;
  const auto in_log = time_seen(*asker_.vault, group);
  ASSERT_OK(in_log);
  EXPECT_GT(*in_log, 0) << "as its newest entry says, although the group's row has seen nothing yet";
  EXPECT_EQ(*time_seen(*asker_.vault, "00000000000000000000000000000000"), 0);
  auto row = asker_.vault->group(group);
  ASSERT_OK(row);
  row->latest = *in_log + 1000;
  ASSERT_OK(asker_.vault->put_group(*row));
  EXPECT_EQ(*time_seen(*asker_.vault, group), *in_log + 1000);
  EXPECT_EQ(end_old_records(*asker_.vault).value(), 0U);
}

// The file says nothing of its size that can be believed before it is read: the disk is asked.
TEST_F(AuditedCheat, AFileLargerThanThereIsAnyOrNoFileAtAllIsNotRead) {
  vault::write_whole(folder_ / "huge", Bytes(100));
  std::filesystem::resize_file(folder_ / "huge", audit::kMaxAuditFileBytes + 1);
  EXPECT_FAILS(audit::open_audit_file(folder_ / "huge", auditor_), Errc::limit);
  EXPECT_FAILS(audit::open_audit_file("/dev/zero", auditor_), Errc::format);
}

TEST_F(AuditedCheat, NoRecordIsKeptWhereThatIsSetOrWhereThereIsNoRoomAndTheSessionGoesOn) {
  ASSERT_OK(set_audit_keeping(*asker_.vault, {.days = 0}));
  ASSERT_OK(set_audit_keeping(*answerer_.vault, {.limit_bytes = 1'000}));
  hold(kClassic);
  EXPECT_EQ(matched(*asker_.vault, id_), kShared);
  for (const Side side : kSides) EXPECT_FALSE(kept_record(*member(side).vault, id_)->has_value());
  EXPECT_THAT(why_not_kept(*asker_.vault, id_).value(), HasSubstr("keeps no records"));
  EXPECT_THAT(why_not_kept(*answerer_.vault, id_).value(), HasSubstr("no room"));
  EXPECT_FALSE(asker_.vault->secret(seed_name(id_))->has_value()) << "nothing else of its secrets stays";
}

}  // namespace
}  // namespace parley::session
