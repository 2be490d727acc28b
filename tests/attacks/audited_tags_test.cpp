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

Question addresses_and_names() {
  Question question;
  question.types = {indicator::Type::ipv4, indicator::Type::domain};
  return question;
}

std::vector<vault::TestRecord> material_of(unsigned first) {
  std::vector<vault::TestRecord> records = addresses(first, 20);
  for (const char* name : {"evil.example", "worse.example"})
    records.push_back(record(indicator::Type::domain, name, "Sednit"));
  return records;
}

/// alpha asks bravo about addresses, which enter by tags, and names, which do not; charlie audits either.
class AuditedTags : public testing::Test {
 protected:
  AuditedTags() {
    circle.begin_epoch();
    circle.admit(0);
    circle.admit(1);
  }
  void hold() {
    const auto both = circle.hold_session(0, 1, addresses_and_names());
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
  audit::Report report_on(const audit::Audited& audited, const std::optional<audit::Admitted>& admitted = {}) {
    std::vector<log::MemberKeys> members;
    for (const group::CharterMember& member : circle.charter().charter.members) members.push_back(member.keys);
    ThreadPool pool(2);
    SilentProgress progress;
    const auto report = audit::audit(audited, members, admitted, pool, progress);
    EXPECT_OK(report);
    return report.value_or(audit::Report{});
  }
  audit::Admitted admitted(std::int64_t count) {
    return {.epoch = circle.epoch(2).id, .most = {{indicator::Type::ipv4, count}}};
  }

  Circle circle{{material_of(0), material_of(10), {}}, at_most(1000)};
  const Secret<32> auditor = random_secret<32>();
  vault::TemporaryFolder folder;
  int files = 0;
  std::string id;
};

TEST_F(AuditedTags, OfAnHonestSideAreThoseOfTheRunAndTheReportSaysWhatIsNotShown) {
  hold();
  for (const std::size_t side : {0U, 1U}) {
    const audit::Report report = report_on(opened_by(side));
    EXPECT_TRUE(report.passes()) << report.difference.value_or("");
    EXPECT_TRUE(report.vouched);
    EXPECT_THAT(report.checked, Contains(HasSubstr("20 ipv4 entered by tags")));
    EXPECT_THAT(report.checked, Contains(HasSubstr("22 indicators")));
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
  audit::Admitted elsewhere = admitted(20);
  elsewhere.epoch[0] ^= std::byte{1};
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
  audit::Audited audited = opened_by(0);
  audited.record.set.by_tags.clear();
  audited.record.set.tags.clear();
  const audit::Report report = report_on(audited);
  ASSERT_FALSE(report.passes());
  EXPECT_THAT(*report.difference, HasSubstr("says that none entered by its tag"));
}

}  // namespace
}  // namespace parley::session
