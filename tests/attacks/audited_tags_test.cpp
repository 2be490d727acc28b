// A session about types that enter by their tags, opened to an auditor: what the auditor finds, and what it is told
// that it cannot find.
#include "audit/export.h"
#include "audit/reexecution.h"
#include "session/audit_keeping.h"
#include "support/admission_circle.h"

namespace parley::session {
namespace {

using admission::addresses, admission::at_most, admission::Circle;
using testing::Contains, testing::HasSubstr;

Question addresses_names_and_hashes() {
  Question question;
  question.types = {indicator::Type::ipv4, indicator::Type::domain, indicator::Type::md5};
  return question;
}

constexpr std::array kHashes = {"d41d8cd98f00b204e9800998ecf8427e", "0cc175b9c0f1b6a831c399e269772661"};

std::vector<vault::TestRecord> material_of(unsigned first) {
  std::vector<vault::TestRecord> records = addresses(first, 20);
  for (const char* name : {"evil.example", "worse.example"})
    records.push_back(record(indicator::Type::domain, name, "Sednit"));
  for (const char* hash : kHashes) records.push_back(record(indicator::Type::md5, hash, "Sednit"));
  return records;
}

/// alpha asks bravo about addresses, which enter by tags, and names and hashes, which do not; charlie audits either.
class AuditedTags : public testing::Test {
 protected:
  AuditedTags() {
    circle.begin_epoch();
    circle.admit(0);
    circle.admit(1);
    const auto seed = group::load_id_seed(circle[0].home.folder(), circle[0].home.unlock());
    EXPECT_OK(seed);
    charter = log::sign_note(circle.charter().note, log::parse_vkey(circle[0].member.card.id_vkey)->name,
                             crypto::SigningKey(*seed));
    for (const std::size_t side : {0U, 1U})
      EXPECT_OK(circle[side].vault->add_charter(
          circle.charter().charter.group,
          {.seq = 1, .hash = circle.charter().hash, .note = charter, .taken = wall_clock_now()}));
  }
  void hold() {
    const auto both = circle.hold_session(0, 1, addresses_names_and_hashes());
    EXPECT_OK(both.began);
    if (both.began) id = *both.began;
    circle.synchronise();
  }
  audit::Audited opened_by(std::size_t side) {
    const auto opened = audit::open_session(*circle[side].vault, id, circle.nick(side));
    EXPECT_OK(opened);
    auto record = open_record(*circle[side].vault, id);
    EXPECT_OK(record);
    const std::filesystem::path path = folder / std::to_string(files++);
    EXPECT_OK(audit::write_audit_file(path, crypto::public_key_of(auditor), *opened, *std::move(record)));
    auto audited = audit::open_audit_file(path, auditor);
    EXPECT_OK(audited);
    return *std::move(audited);
  }
  Result<audit::Report> audited(const audit::Audited& audited, const audit::AuditorHolds& holds = {}) {
    std::vector<log::MemberKeys> members;
    for (const group::CharterMember& member : circle.charter().charter.members) members.push_back(member.keys);
    ThreadPool pool(2);
    SilentProgress progress;
    return audit::audit(audited, members, holds, pool, progress);
  }
  audit::Report report_on(const audit::Audited& file, const audit::AuditorHolds& holds = {}) {
    const auto report = audited(file, holds);
    EXPECT_OK(report);
    return report.value_or(audit::Report{});
  }
  audit::AuditorHolds admitted(std::int64_t count) {
    return {
        .admitted =
            audit::Admitted{.epoch = circle.epoch(2).id, .most = {{indicator::Type::ipv4, count}}, .by_own_log = true},
        .charter = {}};
  }
  /// As a file of before, or from a program of its own, that has no charter.
  audit::Audited without_charter(std::size_t side) {
    audit::Audited file = opened_by(side);
    file.opened.charter.clear();
    return file;
  }
  /// Says of its hashes, too, that they entered by tags: those "tags" are what the run had in their place, 32 bytes
  /// that its owner chose. What was committed to need not be the same.
  void call_hashes_tags(session::RecordedSet& set) {
    Bytes tags;
    std::size_t next = 0;
    for (std::size_t i = 0; i < set.elements.size(); ++i) {
      const ByteView element = set.elements[i];
      if (element[0] == static_cast<std::byte>(indicator::Type::md5)) append(tags, element.subspan(3));
      if (!set.is_by_tag(element)) continue;
      append(tags, ByteView(set.tags).subspan(next, 32));
      next += 32;
    }
    set.tags = std::move(tags);
    set.by_tags.push_back(indicator::Type::md5);
  }

  Circle circle{{material_of(0), material_of(10), {}}, at_most(1000)};
  const Secret<32> auditor = random_secret<32>();
  vault::TemporaryFolder folder;
  int files = 0;
  std::string charter;  // a note
  std::string id;
};

TEST_F(AuditedTags, OfAnHonestSideAreThoseOfTheRunAndTheReportSaysWhatIsNotShown) {
  hold();
  for (const std::size_t side : {0U, 1U}) {
    const audit::Report report = report_on(opened_by(side));
    EXPECT_TRUE(report.passes()) << report.difference.value_or("");
    EXPECT_TRUE(report.vouched);
    EXPECT_THAT(report.checked, Contains(HasSubstr("20 ipv4 entered by tags")));
    EXPECT_THAT(report.checked, Contains(HasSubstr("24 indicators")));
    EXPECT_THAT(report.checked, Contains(HasSubstr("Count and matches that it signed")))
        << "results are over indicators, whatever they entered by";
    EXPECT_THAT(report.proves_not, Contains(HasSubstr("That a tag is that of the indicator beside it")));
  }
}

TEST_F(AuditedTags, AreNoMoreThanTheLogsCountAsAdmitted) {
  hold();
  const audit::Audited audited = opened_by(0);
  const audit::Report fits = report_on(audited, admitted(20));
  EXPECT_TRUE(fits.passes()) << fits.difference.value_or("");
  EXPECT_THAT(fits.checked, Contains(HasSubstr("No more entered by tags than the logs")));
  const audit::Report more = report_on(audited, admitted(19));
  ASSERT_FALSE(more.passes());
  EXPECT_THAT(*more.difference, HasSubstr("20 ipv4 entered by tags, and no more than 19 were admitted"));
  audit::AuditorHolds behind = admitted(19);
  behind.admitted->by_own_log = false;
  const audit::Report unclear = report_on(audited, behind);
  EXPECT_TRUE(unclear.passes()) << "logs that may be behind accuse nobody";
  EXPECT_FALSE(unclear.shown());
  EXPECT_THAT(unclear.proves_not, testing::Contains(HasSubstr("no more than 19 were admitted")));
  audit::AuditorHolds elsewhere = admitted(20);
  elsewhere.admitted->epoch[0] ^= std::byte{1};
  EXPECT_FALSE(report_on(audited, elsewhere).passes());
}

TEST_F(AuditedTags, ThatAreNotThoseOfTheRunAreFound) {
  hold();
  audit::Audited audited = opened_by(0);
  audited.record.set.tags[40] ^= std::byte{1};
  const audit::Report report = report_on(audited);
  ASSERT_FALSE(report.passes()) << "its program sends other messages by them";
  EXPECT_THAT(report.proves.front(), HasSubstr("did not run the agreed program"));
  EXPECT_FALSE(report_on(opened_by(1)).difference);
}

TEST_F(AuditedTags, BesideOtherIndicatorsThanThoseCommittedToAreFound) {
  hold();
  audit::Audited audited = opened_by(1);
  psi::Elements other;
  for (std::size_t i = 0; i < audited.record.set.elements.size(); ++i) {
    Bytes element = to_bytes(audited.record.set.elements[i]);
    if (element[0] == static_cast<std::byte>(indicator::Type::ipv4)) element.back() ^= std::byte{1};
    other.push_back(element);
  }
  audited.record.set.elements = std::move(other);
  const audit::Report report = report_on(audited);
  ASSERT_FALSE(report.passes());
  EXPECT_THAT(*report.difference, HasSubstr("items_root"));
}

TEST_F(AuditedTags, ThatARecordKeepsQuietAboutAreFound) {
  hold();
  for (const bool has_charter : {true, false}) {
    audit::Audited file = has_charter ? opened_by(0) : without_charter(0);
    file.record.set.by_tags.clear();
    file.record.set.tags.clear();
    const audit::Report report = report_on(file);
    ASSERT_FALSE(report.passes());
    EXPECT_THAT(*report.difference,
                HasSubstr(has_charter ? "shows tags of: none" : "says that none entered by its tag"));
  }
}

// --- types that enter as they are -----------------------------------------------------------------------------------

/// A hash of 32 digits stands in a run as a tag of its type would: whoever may call it a tag may enter any other.
TEST_F(AuditedTags, OfATypeThatEntersAsItIsAreNone) {
  hold();
  audit::Audited file = opened_by(0);
  const psi::Elements before = file.record.set.entered();
  call_hashes_tags(file.record.set);
  const psi::Elements after = file.record.set.entered();
  for (std::size_t i = 0; i < after.size(); ++i) ASSERT_EQ(to_bytes(after[i]), to_bytes(before[i])) << "the same run";
  for (const audit::AuditorHolds& holds : {audit::AuditorHolds{}, audit::AuditorHolds{.charter = charter}}) {
    const audit::Report report = report_on(file, holds);
    ASSERT_FALSE(report.passes());
    EXPECT_THAT(*report.difference, HasSubstr("these types enter by tags: ipv4. The record shows tags of: ipv4, md5."));
    file.opened.charter.clear();
  }
}

TEST_F(AuditedTags, AreNotShownToBeSomeWhereNoCharterSaysOfWhichTypes) {
  hold();
  const audit::Audited alpha = without_charter(0), bravo = without_charter(1);
  audit::Audited cheat = without_charter(0);
  call_hashes_tags(cheat.record.set);
  group::Charter later = circle.charter().charter;
  later.seq = 2;
  const std::string another =
      log::sign_note(group::charter_text(later), "somebody", crypto::SigningKey(random_secret<32>()));
  for (const std::string& held : {std::string(), another}) {
    for (const audit::Audited* file : {&alpha, &bravo, &std::as_const(cheat)}) {
      const audit::Report report = report_on(*file, {.charter = held});
      EXPECT_TRUE(report.passes()) << "nothing contradicts it";
      EXPECT_TRUE(report.vouched);
      EXPECT_FALSE(report.tags_by_charter);
      EXPECT_FALSE(report.shown());
      EXPECT_THAT(report.proves, testing::Not(Contains(HasSubstr("honestly"))));
      EXPECT_THAT(report.proves_not, Contains(HasSubstr("hash " + to_hex(circle.charter().hash))));
    }
  }
  for (const std::size_t side : {0U, 1U})
    EXPECT_TRUE(report_on(without_charter(side), {.charter = charter}).shown()) << "the auditor may bring it";
}

TEST_F(AuditedTags, AreThoseOfTheCharterThatBothSidesNameOnly) {
  hold();
  audit::Audited file = opened_by(0);
  ASSERT_EQ(file.opened.charter, charter);
  group::Charter looser = circle.charter().charter;
  looser.admission.types.push_back({.type = indicator::Type::md5, .most = 1000});
  call_hashes_tags(file.record.set);
  for (const std::string& text : {group::charter_text(looser), std::string("nothing of the kind\n")}) {
    file.opened.charter = log::sign_note(text, "somebody", crypto::SigningKey(random_secret<32>()));
    const auto report = audited(file);
    ASSERT_FALSE(report.has_value());
    EXPECT_THAT(report.error().text(), HasSubstr("not the one that both sides name"));
  }
  file.opened.charter = "no note";
  EXPECT_FAILS(audited(file), Errc::format);
}

}  // namespace
}  // namespace parley::session
