// Pieces of evidence come out as they went in, or not at all; every step stands in the chain; and no crash leaves a
// half.
#include "evidence/case.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "evidence/case_uco.h"
#include "support/crash_points.h"
#include "vault/testing.h"

namespace parley::evidence {
namespace {

using testing::HasSubstr;
using vault::fails, vault::succeeds, vault::read_whole, vault::write_whole;

Bytes content_of(std::size_t size, unsigned which = 1) {
  Bytes content(size);
  for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<std::byte>(i * which + i / 253);
  return content;
}

class CaseTest : public testing::Test {
 protected:
  CaseTest() {
    unlock_.key_file = random_secret<32>();
    EXPECT_OK(vault::Vault::create(home_.path(), unlock_));
    open();
  }
  void open() {
    vault_.reset();
    auto opened = vault::Vault::open(home_.path(), unlock_);
    ASSERT_OK(opened);
    vault_ = *std::move(opened);
  }
  Cases cases() { return {*vault_, {.actor = "Ada", .role = "analyst", .location = "laboratory"}}; }
  std::filesystem::path file(std::string_view name, ByteView content) {
    write_whole(outside_ / name, content);
    return outside_ / name;
  }
  vault::CaseFileRow add(const std::filesystem::path& path) {
    auto row = cases().add("stadium", path, source_, progress_);
    EXPECT_OK(row);
    return row.value_or(vault::CaseFileRow{});
  }
  std::vector<std::filesystem::path> sealed_files() {
    std::vector<std::filesystem::path> files;
    if (std::filesystem::exists(home_ / "files"))
      for (const auto& entry : std::filesystem::directory_iterator(home_ / "files")) files.push_back(entry.path());
    return files;
  }
  std::filesystem::path sealed(const vault::CaseFileRow& row) { return home_ / ("files/" + row.file + ".sealed"); }
  /// Neither comes out nor passes the check, and both are in the chain.
  void expect_refused(const vault::CaseFileRow& row, std::string_view text) {
    const std::filesystem::path to = outside_ / ("out-" + std::to_string(row.number));
    const Status extracted = cases().extract("stadium", row.number, to, "", progress_);
    ASSERT_FAILS(extracted, Errc::vault_damaged);
    EXPECT_THAT(extracted.error().text(), HasSubstr(std::string(text)));
    EXPECT_THAT(extracted.error().text(), HasSubstr("piece of evidence " + std::to_string(row.number)));
    EXPECT_FALSE(std::filesystem::exists(to)) << "nothing of it leaves";
    EXPECT_FALSE(std::filesystem::exists(to.string() + ".part"));
    const auto view = cases().open("stadium");
    ASSERT_OK(view);
    EXPECT_THAT(view->chain.entries.back().step.note, HasSubstr("NOT as it was taken in"));
    EXPECT_FALSE(view->chain.entries.back().step.hash_after);
    const auto checked = cases().check("stadium", progress_);
    ASSERT_OK(checked);
    EXPECT_TRUE(std::ranges::any_of(
        *checked, [&](const Checked& each) { return each.file.number == row.number && each.failure; }));
  }

  vault::TemporaryFolder home_, outside_;
  vault::Unlock unlock_;
  std::unique_ptr<vault::Vault> vault_;
  SilentProgress progress_;
  CustodyStep source_;
};

TEST_F(CaseTest, FilesComeOutAsTheyWentInAndTheChainSaysHow) {
  ASSERT_OK(cases().begin("stadium", "ticketing"));
  source_.source_device = "laptop 7, /dev/sda";
  std::vector<std::size_t> sizes = {0, 1, 65'535, 65'536, 65'537, (1 << 20) + 3, (3 << 20)};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Bytes content = content_of(sizes[i], static_cast<unsigned>(i) + 3);
    const auto path = file("sample-" + std::to_string(i) + ".bin", content);
    const auto row = add(path);
    EXPECT_EQ(row.number, i + 1);
    EXPECT_EQ(row.sha256, crypto::sha256(content));
    ASSERT_OK(cases().extract("stadium", row.number, outside_ / ("copy" + std::to_string(i)), "for Bob", progress_));
    EXPECT_EQ(read_whole(outside_ / ("copy" + std::to_string(i))), content);
    EXPECT_EQ(read_whole(path), content) << "the original stays";
  }
  open();
  const auto checked = cases().check("stadium", progress_);
  ASSERT_OK(checked);
  ASSERT_EQ(checked->size(), sizes.size());
  for (const Checked& each : *checked) EXPECT_FALSE(each.failure);
  const auto view = cases().open("stadium");
  ASSERT_OK(view);
  ASSERT_EQ(view->chain.entries.size(), 1 + 4 * sizes.size());
  const CustodyStep& acquired = view->chain.entries[1].step;
  EXPECT_EQ(acquired.stage, Stage::acquisition);
  EXPECT_EQ(acquired.file, 1U);
  EXPECT_EQ(acquired.actor, "Ada");
  EXPECT_EQ(acquired.source_device, "laptop 7, /dev/sda");
  EXPECT_EQ(acquired.hash_after, crypto::sha256({}));
  EXPECT_EQ(view->chain.entries[2].step.stage, Stage::transfer);
  EXPECT_EQ(view->chain.entries[2].step.note, "for Bob");
  EXPECT_FALSE(view->chain.entries[2].step.hash_after) << "nothing was read yet";
  EXPECT_EQ(view->chain.entries[3].step.note, "written: it is as it was taken in");
  EXPECT_EQ(view->chain.entries[3].step.hash_after, crypto::sha256({}));
}

TEST_F(CaseTest, TheOriginalKeepsItsTimeOfAccess) {
  ASSERT_OK(cases().begin("stadium", ""));
  const auto path = file("sample", content_of(100));
  const timespec past[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), past, 0), 0);
  add(path);
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_atim.tv_sec, 1'000'000'000);
}

TEST_F(CaseTest, TakesInNothingButOrdinaryFiles) {
  ASSERT_OK(cases().begin("stadium", ""));
  const auto target = file("target", content_of(10));
  std::filesystem::create_symlink(target, outside_ / "link");
  ASSERT_EQ(::mkfifo((outside_ / "pipe").c_str(), 0600), 0);
  EXPECT_FAILS(cases().add("stadium", outside_ / "link", {}, progress_), Errc::usage);
  EXPECT_FAILS(cases().add("stadium", outside_ / "pipe", {}, progress_), Errc::usage);
  EXPECT_FAILS(cases().add("stadium", outside_.path(), {}, progress_), Errc::usage);
  EXPECT_FAILS(cases().add("stadium", outside_ / "nothing", {}, progress_), Errc::not_found);
  EXPECT_FAILS(cases().add("arena", target, {}, progress_), Errc::not_found);
  EXPECT_TRUE(sealed_files().empty()) << "nothing of what was refused stays";
}

/// Changes the file while it is read.
class Meddler final : public Progress {
 public:
  explicit Meddler(std::function<void()> meddle) : meddle_(std::move(meddle)) {}
  void phase(std::string_view, std::uint64_t) override {}
  void advance(std::uint64_t) override {
    std::exchange(meddle_, [] {})();
  }

 private:
  std::function<void()> meddle_;
};

TEST_F(CaseTest, AFileThatChangesWhileItIsTakenInIsNotTakenIn) {
  ASSERT_OK(cases().begin("stadium", ""));
  const auto path = file("growing", content_of(2 << 20));
  struct stat was{};
  ASSERT_EQ(::stat(path.c_str(), &was), 0);
  Meddler puts_its_time_back([&] {
    write_whole(path, content_of(2 << 20, 5));
    const timespec times[2] = {was.st_atim, was.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  });
  EXPECT_FAILS(cases().add("stadium", path, {}, puts_its_time_back), Errc::format);
  Meddler grows([&] { write_whole(path, content_of((2 << 20) + 5)); });
  EXPECT_FAILS(cases().add("stadium", path, {}, grows), Errc::format);
  Meddler stops([] {});
  stops.cancel();
  EXPECT_FAILS(cases().add("stadium", path, {}, stops), Errc::cancelled);
  EXPECT_TRUE(sealed_files().empty());
  EXPECT_EQ(cases().open("stadium")->chain.entries.size(), 1U);
}

// Once it is said that evidence was altered, nobody can take that back.
TEST_F(CaseTest, SaysNotThatAFileIsOthersWhereItCouldOnlyNotBeWritten) {
  ASSERT_OK(cases().begin("stadium", ""));
  add(file("sample", content_of(2 << 20)));
  struct rlimit all{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &all), 0);
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  // Room for the vault's own files, and not for the copy.
  const rlimit little{(1 << 20) + (1 << 19), all.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const Status extracted = cases().extract("stadium", 1, outside_ / "copy", "for Bob", progress_);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &all), 0);
  std::signal(SIGXFSZ, before);
  ASSERT_FAILS(extracted, Errc::io);
  EXPECT_FALSE(std::filesystem::exists(outside_ / "copy"));
  EXPECT_FALSE(std::filesystem::exists(outside_ / "copy.part"));
  const auto view = cases().open("stadium");
  ASSERT_OK(view);
  ASSERT_EQ(view->chain.entries.size(), 4U);
  EXPECT_EQ(view->chain.entries[2].step.note, "for Bob");
  EXPECT_THAT(view->chain.entries[3].step.note, HasSubstr("broken off, the unfinished copy is deleted: Cannot write"));
  EXPECT_THAT(view->chain.entries[3].step.note, testing::Not(HasSubstr("NOT as it was")));
}

// Whoever stops in time has a copy of what was written by then.
TEST_F(CaseTest, KeepsThatAnExtractionBeganBeforeItsFirstByteAndThatItWasStopped) {
  ASSERT_OK(cases().begin("stadium", ""));
  add(file("sample", content_of(3 << 20)));
  std::size_t entries_at_first_byte = 0;
  Meddler stops([&] { entries_at_first_byte = vault_->custody(cases().open("stadium")->row.id)->size(); });
  class Stopper final : public Progress {
   public:
    explicit Stopper(Progress& first) : first_(first) {}
    void phase(std::string_view, std::uint64_t) override {}
    void advance(std::uint64_t done) override {
      first_.advance(done);
      cancel();
    }

   private:
    Progress& first_;
  } stopper(stops);
  EXPECT_FAILS(cases().extract("stadium", 1, outside_ / "copy", "for Bob", stopper), Errc::cancelled);
  EXPECT_EQ(entries_at_first_byte, 3U);
  const auto view = cases().open("stadium");
  ASSERT_OK(view);
  ASSERT_EQ(view->chain.entries.size(), 4U);
  EXPECT_THAT(view->chain.entries[3].step.note, HasSubstr("broken off"));
  EXPECT_FALSE(view->chain.entries[3].step.hash_after);
  EXPECT_FALSE(std::filesystem::exists(outside_ / "copy.part"));
}

TEST_F(CaseTest, LosesNoStepToAnotherThatWasWrittenMeanwhile) {
  ASSERT_OK(cases().begin("stadium", ""));
  add(file("sample", content_of(3 << 20)));
  CustodyStep noted;
  noted.note = "seen on the way";
  const auto meanwhile = [&] { ASSERT_OK(cases().record("stadium", noted)); };
  Meddler during_check(meanwhile), during_extract(meanwhile);
  const auto checked = cases().check("stadium", during_check);
  ASSERT_OK(checked);
  EXPECT_EQ(checked->size(), 1U);
  EXPECT_OK(cases().extract("stadium", 1, outside_ / "copy", "for Bob", during_extract));
  const auto view = cases().open("stadium");
  ASSERT_OK(view);
  std::vector<std::string> notes;
  for (const CustodyEntry& entry : view->chain.entries) notes.push_back(entry.step.note);
  EXPECT_THAT(notes, testing::ElementsAre("", "", "seen on the way", "checked: it is as it was taken in", "for Bob",
                                          "seen on the way", "written: it is as it was taken in"));
}

// --- what somebody does to the sealed files
// ---------------------------------------------------------------------------

TEST_F(CaseTest, AnAlteredByteIsRefusedWhereverItIs) {
  ASSERT_OK(cases().begin("stadium", ""));
  const auto row = add(file("sample", content_of(150'000)));
  const Bytes whole = read_whole(sealed(row));
  for (std::size_t i = 0; i < whole.size(); i += i < 64 ? 7 : whole.size() / 11) {
    SCOPED_TRACE(i);
    Bytes altered = whole;
    altered[i] ^= std::byte{1};
    write_whole(sealed(row), altered);
    expect_refused(row, "");
  }
  write_whole(sealed(row), whole);
  EXPECT_OK(cases().extract("stadium", 1, outside_ / "copy", "", progress_));
}

TEST_F(CaseTest, AFileThatWasCutExtendedReorderedExchangedOrRemovedIsRefused) {
  ASSERT_OK(cases().begin("stadium", ""));
  const auto row = add(file("sample", content_of(3 * 65'536)));
  const auto other = add(file("other", content_of(3 * 65'536, 9)));
  const Bytes whole = read_whole(sealed(row));
  const auto change = [&](const std::function<void(Bytes&)>& how) {
    Bytes changed = whole;
    how(changed);
    write_whole(sealed(row), changed);
    expect_refused(row, "");
    write_whole(sealed(row), whole);
  };
  constexpr std::size_t kChunk = 65'536 + 16;
  change([](Bytes& bytes) { bytes.resize(bytes.size() - 1); });
  change([](Bytes& bytes) { bytes.resize(bytes.size() - kChunk); });
  change([](Bytes& bytes) { bytes.resize(48); });
  change([](Bytes& bytes) { bytes.resize(20); });
  change([](Bytes& bytes) { bytes.push_back(std::byte{0}); });
  change([](Bytes& bytes) { bytes.insert(bytes.end(), bytes.end() - kChunk, bytes.end()); });
  change([](Bytes& bytes) {
    std::swap_ranges(bytes.begin() + 48, bytes.begin() + 48 + kChunk, bytes.begin() + 48 + kChunk);
  });
  change([&](Bytes& bytes) { bytes = read_whole(sealed(other)); });
  change([&](Bytes& bytes) {  // the other's content under this one's name
    const Bytes theirs = read_whole(sealed(other));
    std::ranges::copy(theirs.begin() + 48, theirs.end(), bytes.begin() + 48);
  });
  std::filesystem::remove(sealed(row));
  expect_refused(row, "not there any more");
}

// Somebody who has the vault open, and exchanges what its rows say.
TEST_F(CaseTest, AnotherHashThanTheChainHasNamesTheStep) {
  ASSERT_OK(cases().begin("stadium", ""));
  const auto row = add(file("sample", content_of(1'000)));
  const auto view = cases().open("stadium");
  ASSERT_OK(view);
  ASSERT_OK(vault_->add_case_file(
      view->row.id,
      {.number = 2, .file = row.file, .name = "claimed", .size = row.size, .sha256 = {}, .root = row.root}));
  const Status extracted = cases().extract("stadium", 2, outside_ / "out", "", progress_);
  ASSERT_FAILS(extracted, Errc::vault_damaged);
  EXPECT_THAT(extracted.error().text(), HasSubstr("step 0 of the chain of custody"));
}

TEST_F(CaseTest, AChainThatIsNotTheWholeChainIsRefused) {
  const auto row = cases().begin("stadium", "");
  ASSERT_OK(row);
  CustodyStep looked;
  looked.note = "looked at it";
  ASSERT_OK(cases().record("stadium", looked));
  Chain chain = *read_chain(*vault_->custody(row->id));
  CustodyStep step;
  step.actor = "Eve";
  const std::string forged = *write_custody(chain.next(step, 1));
  ASSERT_OK(vault_->add_custody(row->id, 2, forged));
  const auto opened = cases().open("stadium");
  ASSERT_FAILS(opened, Errc::vault_damaged);
  EXPECT_THAT(opened.error().text(), HasSubstr("the case stadium"));
}

// --- steps
// ------------------------------------------------------------------------------------------------------------

TEST_F(CaseTest, StepsAreRecordedByWhoTakesThem) {
  ASSERT_OK(cases().begin("stadium", ""));
  add(file("sample", content_of(10)));
  CustodyStep step;
  step.stage = Stage::transfer;
  step.file = 1;
  step.actor = "Bob";
  step.tool = "courier";
  step.command = "by hand";
  ASSERT_OK(cases().record("stadium", step));
  step.file = 2;
  EXPECT_FAILS(cases().record("stadium", step), Errc::not_found);
  step.file = 1;
  step.tool = "parley";
  EXPECT_FAILS(cases().record("stadium", step), Errc::usage) << "nobody notes down what it does itself";
  const auto view = cases().open("stadium");
  ASSERT_OK(view);
  EXPECT_EQ(view->chain.entries.back().step.actor, "Bob");
  EXPECT_EQ(view->chain.entries.back().step.role, "analyst") << "what was not said is the operator's";
}

TEST_F(CaseTest, NamesAreTakenOnceAndFoundByTheirIdsToo) {
  const auto row = cases().begin("stadium", "");
  ASSERT_OK(row);
  EXPECT_FAILS(cases().begin("stadium", ""), Errc::exists);
  EXPECT_FAILS(cases().begin("", ""), Errc::usage);
  EXPECT_FAILS(cases().begin("evil\x1b[2J", ""), Errc::usage);
  EXPECT_FAILS(cases().begin(std::string(kMaxCaseNameBytes + 1, 'x'), ""), Errc::usage);
  EXPECT_EQ(cases().open(row->id.substr(0, 6))->row.name, "stadium");
  EXPECT_FAILS(cases().open(row->id.substr(0, 3)), Errc::not_found);
}

TEST_F(CaseTest, TakesInFilesWhoseNamesAreNoText) {
  ASSERT_OK(cases().begin("stadium", ""));
  const auto row = add(file("odd\xff\x1b[2J", content_of(10)));
  EXPECT_EQ(row.name, "odd\\xff\\x1b[2J");
  EXPECT_TRUE(nlohmann::json::accept(write_case_uco(*cases().open("stadium"))));
}

TEST_F(CaseTest, ExtractsOverNothing) {
  ASSERT_OK(cases().begin("stadium", ""));
  add(file("sample", content_of(10)));
  const auto there = file("there", as_bytes("mine"));
  EXPECT_FAILS(cases().extract("stadium", 1, there, "", progress_), Errc::exists);
  EXPECT_EQ(read_whole(there), to_bytes("mine"));
  EXPECT_FAILS(cases().extract("stadium", 2, outside_ / "new", "", progress_), Errc::not_found);
}

TEST_F(CaseTest, ForOtherToolsHasEveryFileEveryStepAndNamesThatResolve) {
  ASSERT_OK(cases().begin("stadium", "ticketing"));
  const auto row = add(file("sample.eml", content_of(10)));
  ASSERT_OK(cases().extract("stadium", 1, outside_ / "copy", "for Bob", progress_));
  const auto view = cases().open("stadium");
  ASSERT_OK(view);
  const std::string text = write_case_uco(*view);
  EXPECT_EQ(text, write_case_uco(*view));
  const auto json = nlohmann::json::parse(text);
  std::map<std::string, std::size_t> types;
  std::set<std::string> ids, named;
  const std::function<void(const nlohmann::json&)> walk = [&](const nlohmann::json& value) {
    if (value.is_object() && value.size() == 1 && value.contains("@id")) named.insert(value["@id"].get<std::string>());
    if (value.is_object() && value.contains("@type") && value.contains("@id")) {
      ++types[value["@type"].get<std::string>()];
      EXPECT_TRUE(ids.insert(value["@id"].get<std::string>()).second) << "one name for each node";
    }
    if (value.is_structured())
      for (const auto& part : value) walk(part);
  };
  walk(json["@graph"]);
  EXPECT_EQ(types["uco-observable:File"], 1U);
  EXPECT_EQ(types["case-investigation:ProvenanceRecord"], 1U);
  EXPECT_EQ(types["case-investigation:InvestigativeAction"], view->chain.entries.size());
  EXPECT_THAT(ids, testing::IsSupersetOf(named));
  EXPECT_THAT(text, HasSubstr(to_hex(row.sha256)));
  EXPECT_THAT(text, HasSubstr("sample.eml"));
}

// --- crashes
// ----------------------------------------------------------------------------------------------------------

TEST_F(CaseTest, ACrashAtAnyMomentOfTakingInLeavesTheFileWholeOrNotThere) {
  ASSERT_OK(cases().begin("stadium", ""));
  const Bytes content = content_of(200'000);
  const auto path = file("sample", content);
  std::size_t taken = 0, points = 0;
  for (const crash::Cut cut : {crash::Cut::before, crash::Cut::midway}) {
    bool lived = false;
    for (std::size_t at = 1; !lived; ++at, ++points) {
      vault_.reset();
      lived = !crash::dies_in_process([&] {
        open();
        crash::die_at(at, crash::Events::all, cut);
        static_cast<void>(cases().add("stadium", path, source_, progress_));
        crash::die_at(0);
      });
      open();
      const auto view = cases().open("stadium");
      ASSERT_OK(view) << at;
      ASSERT_TRUE(view->files.size() == taken || view->files.size() == taken + 1) << at;
      taken = view->files.size();
      EXPECT_EQ(view->chain.entries.size(), 1 + taken) << "a file and its entry are there together";
      EXPECT_EQ(sealed_files().size(), taken) << "nothing half written stays, at event " << at;
      ASSERT_LT(at, 500U);
    }
  }
  EXPECT_GT(points, 10U);
  const auto checked = cases().check("stadium", progress_);
  ASSERT_OK(checked);
  for (const Checked& each : *checked) EXPECT_FALSE(each.failure);
}

}  // namespace
}  // namespace parley::evidence
