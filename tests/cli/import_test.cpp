// Import is a transaction: all of it or nothing, whatever fails, and nothing of it stands readable on the disk.
#include <gmock/gmock.h>
#include <sys/inotify.h>

#include "support/member.h"

namespace parley::program {
namespace {

std::string rows(int begin, int end) {
  std::string text = "type,value\n";
  for (int i = begin; i < end; ++i) text += "domain,host" + std::to_string(i) + ".example\n";
  return text;
}

class Import : public testing::Test {
 protected:
  Import() { member_.import(table({"ipv4,198.51.100.7", "domain,evil.example"})); }
  Member member_{"Alpha CERT"};
};

struct BadFile {
  const char* name;
  std::string content;
  const char* where;  ///< what the error must point at
};

TEST_F(Import, OfAFileThatFailsAtItsLastLineLeavesTheVaultAsItWas) {
  const std::string before = member_.exported();
  const BadFile files[] = {
      {"bad.csv", rows(0, 3000) + "ipv4,999.1.1.1\n", "3002"},
      {"cut.json", R"({"type":"bundle","id":"bundle--1","objects":[{"type":"indicator")", "cut.json"},
      {"bad.ioc", "<?xml version=\"1.0\"?><ioc><definition>", "bad.ioc"},
  };
  for (const auto& [name, content, where] : files) {
    const std::vector<std::string> arguments{"import", member_.file("good.csv", rows(0, 10)),
                                             member_.file(name, content)};
    const Ended ended = member_.run(arguments);
    EXPECT_SAYS(ended, 1, where);
    EXPECT_THAT(ended.err, testing::HasSubstr(name)) << "the file is named";
    EXPECT_THAT(ended.err, testing::HasSubstr("Nothing was imported")) << name;
    EXPECT_EQ(member_.exported(), before) << name << ": not even the good file before it";
  }
}

TEST_F(Import, LenientSkipsCountsAndListsWhatIsWrong) {
  const std::string file =
      member_.file("mixed.csv", table({"ipv4,192.0.2.1", "ipv4,999.1.1.1", "domain,ok.example", "md5,xyz"}));
  const Json report = member_.json({"import", file, "--lenient"});
  EXPECT_EQ(report["indicators"], 2);
  ASSERT_EQ(report["skipped"].size(), 2u);
  EXPECT_THAT(report["skipped"][0]["where"].get<std::string>(), testing::HasSubstr("3"));
  EXPECT_THAT(report["skipped"][1]["where"].get<std::string>(), testing::HasSubstr("5"));
  EXPECT_NE(report["skipped"][0]["why"], "");
  EXPECT_SAYS(member_.run({"import", file, "--lenient"}), 0, "Skipped 2");
}

TEST_F(Import, OverrulesAWrongTypeColumnByTheValueAndSaysSo) {
  const std::string sha256(64, 'a');
  const Json report = member_.json({"import", member_.file("wrong.csv", table({"MD5," + sha256}))});
  EXPECT_EQ(report["by_type"], Json({{"sha256", 1}}));
  EXPECT_EQ(report["corrected"].size(), 1u);
}

TEST_F(Import, OfTheSameFileTwiceAddsNothing) {
  const std::string file = member_.file("own.csv", table({"ipv4,198.51.100.7", "domain,evil.example"}));
  const Json report = member_.json({"import", file});
  EXPECT_EQ(report["indicators"], 0);
  EXPECT_EQ(report["known"], 2);
}

TEST_F(Import, ThatFindsTheDiskFullLeavesTheVaultAsItWas) {
  const std::string before = member_.exported();
  const std::string big = member_.file("big.csv", rows(0, 50'000));
  // From almost nothing to almost enough: the failure moves through the whole import.
  for (const rlim_t limit : {rlim_t{100'000}, rlim_t{400'000}, rlim_t{1'000'000}, rlim_t{2'500'000}}) {
    Launch launch = member_.launch({"import", big});
    launch.largest_file_bytes = limit;
    const Ended ended = run(launch);
    EXPECT_EQ(ended.code, 1) << limit << ": " << ended.err;
    EXPECT_THAT(ended.err, testing::HasSubstr("Nothing was imported")) << limit;
    EXPECT_EQ(member_.exported(), before) << limit;
  }
  EXPECT_EQ(member_.run({"import", big}).code, 0) << "with room again it goes on";
}

// Waits until `file` in `folder` has been written to `times` times since this was made.
class Writes {
 public:
  Writes(const std::filesystem::path& folder, std::string file)
      : events_(::inotify_init1(IN_CLOEXEC)), file_(std::move(file)) {
    ::inotify_add_watch(events_.get(), folder.c_str(), IN_MODIFY);
  }
  /// @return false when the writing stopped before that
  bool wait(int times) {
    while (seen_ < times) {
      pollfd wait{.fd = events_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&wait, 1, 5000) <= 0) return false;
      alignas(inotify_event) char buffer[4096];
      const ssize_t got = ::read(events_.get(), buffer, sizeof buffer);
      for (ssize_t at = 0; at < got;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
        if (event->len > 0 && file_ == event->name) ++seen_;
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    }
    return true;
  }

 private:
  FileDescriptor events_;
  std::string file_;
  int seen_ = 0;
};

TEST_F(Import, KilledHalfWayLeavesTheVaultAsItWasOrComplete) {
  const std::string before = member_.exported();
  const std::string big = member_.file("big.csv", rows(0, 100'000));
  std::string complete;
  {
    const Member other("Bravo");
    other.import(table({"ipv4,198.51.100.7", "domain,evil.example"}));
    EXPECT_EQ(other.run({"import", big}).code, 0);
    complete = other.exported();
  }
  int killed = 0;
  for (const int writes : {1, 2, 5, 20, 60, 150, 400}) {
    Writes watch(member_.home(), "vault.db-wal");
    Process import(member_.launch({"import", big}));
    const bool in_time = watch.wait(writes);
    import.signal(SIGKILL);
    const Ended ended = import.wait();
    killed += ended.code == -SIGKILL ? 1 : 0;
    const std::string after = member_.exported();
    EXPECT_TRUE(after == before || after == complete) << "killed after " << writes << " writes: half an import stays";
    if (after == complete || !in_time) break;
  }
  EXPECT_GE(killed, 2) << "no kill hit an import";
}

TEST_F(Import, LeavesNothingReadableOnTheDisk) {
  const std::string report =
      "type,value,malware,actor,label,source\n"
      "domain,needle-domain.example,NeedleMalware,NeedleActor,NeedleLabel,NeedleSource\n"
      "ipv4,203.0.113.213,NeedleMalware,NeedleActor,NeedleLabel,NeedleSource\n";
  ASSERT_EQ(member_.run({"import", member_.file("needle-file.csv", report), "--label", "needle-option"}).code, 0);
  const Member peer("NeedlePeer");
  ASSERT_EQ(member_.run({"peer", "add", "needle-peer", card_of(peer), "127.0.0.1:17440"}).code, 0);
  ASSERT_EQ(member_.run({"warninglist", "add", member_.file("needle-list.txt", "needle-entry.example\n")}).code, 0);
  for (const auto& entry : std::filesystem::directory_iterator(member_.home())) {
    std::string content = read_text(entry.path());
    std::ranges::transform(content, content.begin(), [](unsigned char c) { return std::tolower(c); });
    for (const char* needle : {"needle", "203.0.113.213", "17440", "sqlite"})
      EXPECT_EQ(content.find(needle), std::string::npos) << needle << " stands in " << entry.path();
    EXPECT_EQ(content.find(std::string("\xcb\x00\x71\xd5", 4)), std::string::npos) << "the address in binary";
  }
}

TEST(ImportOfTwoSources, KeepsWhatBothSay) {
  const TwoMembers members;
  const std::string header = "type,value,first_seen,malware";
  members.bravo().import(table({"domain,evil.example,2019-01-01,Sednit"}, header), {}, "first.csv");
  members.bravo().import(table({"domain,evil.example,2017-05-05,XAgent"}, header), {}, "second.csv");
  members.alpha().import(table({"domain,evil.example"}));
  const Json answer = members.answer({});
  ASSERT_EQ(answer["matches"].size(), 1u);
  const Json& mine = answer["matches"][0]["mine"];
  EXPECT_EQ(mine["source"], Json({"first.csv", "second.csv"}));
  EXPECT_EQ(mine["malware"], Json({"Sednit", "XAgent"}));
  EXPECT_EQ(mine["first_seen"], "2017-05-05T00:00:00Z");
}

TEST(ImportOfHashes, OfOneFileAreCountedOnceInASession) {
  const std::string md5(32, 'a'), sha1(40, 'b'), sha256(64, 'c');
  const TwoMembers members;
  members.bravo().import(table({md5 + "," + sha1 + "," + sha256}, "md5,sha1,sha256"));
  members.alpha().import(table({"md5," + md5, "sha1," + sha1, "sha256," + std::string(64, 'd')}));
  const Json answer = members.answer({});
  EXPECT_EQ(answer["count"], 1) << "two hashes match, and both are of one file";
  EXPECT_EQ(answer["values"], 2);
  EXPECT_EQ(answer["matches"].size(), 2u);
  EXPECT_EQ(answer["matches"][0]["file"], answer["matches"][1]["file"]);
}

}  // namespace
}  // namespace parley::program
