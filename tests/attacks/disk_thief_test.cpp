// The disk thief: has every file of a member's folder, at any moment, and neither passphrase nor key file. Thousands of
// values that went in through the program are looked for in all of it.
#include <gmock/gmock.h>

#include <random>
#include <unordered_set>

#include "base/encoding.h"
#include "base/random.h"
#include "support/member.h"

namespace parley::program {
namespace {

constexpr std::size_t kTokenLetters = 16;
constexpr std::size_t kIndicators = 1500;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

/// Words that stand nowhere unless this test put them there, and a search for all of them at once: as they are, in any
/// case, in UTF-16 of either order, in hexadecimal digits and in base64 at each of its three alignments.
class Secrets {
 public:
  std::string next() {
    std::string token;
    for (const std::byte each : random_bytes<kTokenLetters>())
      token += static_cast<char>('a' + std::to_integer<int>(each) % 26);
    plain_.insert(token);
    hex_.insert(to_hex(as_bytes(token)).substr(0, kTokenLetters));
    for (std::size_t before = 0; before < 3; ++before) {
      // Of the characters only those that depend on the token alone.
      const std::string encoded = to_base64(as_bytes(std::string(before, ' ') + token));
      base64_.insert(encoded.substr(before == 0 ? 0 : 4, kTokenLetters));
    }
    return token;
  }
  std::size_t count() const { return plain_.size(); }

  std::size_t hits(const std::string& content) const {
    std::size_t found = windows(lower(content), plain_) + windows(lower(content), hex_) + windows(content, base64_);
    for (const std::size_t first : {0u, 1u}) {
      std::string every_other;
      for (std::size_t i = first; i < content.size(); i += 2) every_other += content[i];
      found += windows(lower(every_other), plain_);
    }
    return found;
  }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Words = std::unordered_set<std::string, Hash, std::equal_to<>>;
  static std::size_t windows(std::string_view content, const Words& words) {
    std::size_t found = 0;
    for (std::size_t at = 0; at + kTokenLetters <= content.size(); ++at)
      found += words.contains(content.substr(at, kTokenLetters)) ? 1 : 0;
    return found;
  }
  Words plain_, hex_, base64_;
};

class DiskThief : public testing::Test {
 protected:
  /// A table with a secret in each cell that takes text.
  std::string secret_table(std::size_t rows) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < rows; ++i)
      lines.push_back("domain," + secrets_.next() + ".example," + secrets_.next() + "," + secrets_.next() + "," +
                      secrets_.next());
    return table(lines, "type,value,malware,actor,label");
  }
  void expect_nothing_found(const Member& member) {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(member.home())) {
      const std::string name = entry.path().filename().string();
      EXPECT_EQ(secrets_.hits(name), 0u) << name;
      EXPECT_EQ(entry.symlink_status().permissions() & std::filesystem::perms(077), std::filesystem::perms::none)
          << "others can open " << name;
      if (!entry.is_regular_file()) continue;
      ++files;
      EXPECT_EQ(secrets_.hits(read_text(entry.path())), 0u) << name;
    }
    EXPECT_GE(files, 5u);
    EXPECT_EQ(std::filesystem::status(member.home()).permissions() & std::filesystem::perms(077),
              std::filesystem::perms::none);
  }

  Secrets secrets_;
  Member alpha_{"Alpha CERT"}, bravo_{"Bravo CERT"};
};

TEST_F(DiskThief, IsFoundOutAboutByThisTestIfAValueStoodThere) {
  const std::string content = "...." + secret_table(3);
  EXPECT_EQ(secrets_.hits(content), 12u);
  const std::string token = secrets_.next();
  std::string wide;
  for (const char c : token) wide += std::string{c, '\0'};
  EXPECT_GE(secrets_.hits(wide), 1u);
  EXPECT_GE(secrets_.hits("x" + wide), 1u);
  EXPECT_GE(secrets_.hits(to_hex(as_bytes(token))), 1u);
  for (const char* before : {"", "1", "12", "123", "{\"a\":"})
    EXPECT_GE(secrets_.hits(to_base64(as_bytes(before + token + "}"))), 1u) << before;
  std::string shouted = token;
  std::ranges::transform(shouted, shouted.begin(), [](char c) { return static_cast<char>(c - 32); });
  EXPECT_EQ(secrets_.hits(shouted), 1u);
}

TEST_F(DiskThief, FindsNoneOfAllThatAMemberHoldsAndDid) {
  const std::string group = secrets_.next(), peer = secrets_.next(), label = secrets_.next();
  const std::string shared = secrets_.next() + ".example";
  std::string rows = secret_table(kIndicators) + "domain," + shared + "," + secrets_.next() + ",," + label + "\n";
  alpha_.import(rows, {}, secrets_.next() + ".csv");
  bravo_.import(table({"domain," + shared + "," + secrets_.next()}, "type,value,malware"));
  alpha_.output({"warninglist", "add", alpha_.file(secrets_.next(), secrets_.next() + ".example\n")});
  std::string session;
  {
    Node bravos(bravo_);
    add_peer(alpha_, peer, bravo_, bravos.address());
    add_peer(bravo_, "alpha", alpha_, "127.0.0.1:1");
    form_group(alpha_, peer, bravo_, "alpha", group);
    alpha_.output({"group", "policy", group, "--pause"});
    alpha_.output({"group", "policy", group, "--resume"});
    const Json answer = alpha_.json({"ask", peer, "--label", label, "--yes", "--wait", "30"});
    ASSERT_EQ(answer.at("matches").size(), 1u) << answer.dump();
    session = answer.at("session");
    bravo_.run({"reveal", session, "--fields", "malware", "--yes"});  // nobody answers at alpha's: the consent is kept
    EXPECT_SAYS(alpha_.run({"reveal", session, "--fields", "malware,label", "--yes"}), 0, "on 1 match(es), received");
    EXPECT_EQ(bravos.stop().code, 0);
  }
  ASSERT_GT(secrets_.count(), 4 * kIndicators);
  // They are there for who has the key ...
  const std::string entries = alpha_.output({"log", "show", "alpha-cert", "--json"});
  EXPECT_GE(secrets_.hits(entries), 1u) << "bodies of the log: " << entries;
  EXPECT_GE(secrets_.hits(alpha_.output({"export", "--canonical"})), kIndicators);
  // ... and for nobody else.
  expect_nothing_found(alpha_);
  expect_nothing_found(bravo_);
  // Nor while a node runs, nor after it was killed in the middle of an import.
  Node node(alpha_);
  const std::string more = alpha_.file("more.csv", secret_table(6 * kIndicators));
  Process importing(alpha_.launch({"import", more}));
  const std::filesystem::path wal = alpha_.home() / "vault.db-wal";
  std::error_code none;
  const auto give_up = Monotonic::now() + kPatience;
  while ((!std::filesystem::exists(wal) || std::filesystem::file_size(wal, none) < 100'000) &&
         Monotonic::now() < give_up)
    ::usleep(1000);
  expect_nothing_found(alpha_);
  node.process().signal(SIGKILL);
  EXPECT_EQ(node.process().wait().code, -SIGKILL);
  importing.wait();
  ASSERT_GT(std::filesystem::file_size(wal), 100'000u);
  expect_nothing_found(alpha_);
  EXPECT_GE(secrets_.hits(alpha_.output({"export", "--canonical"})), kIndicators) << "nothing that was there is lost";
}

// What one file says cannot be put into another's place, nor one page into another's.
TEST_F(DiskThief, CannotExchangePagesOrFiles) {
  alpha_.import(secret_table(kIndicators));
  const std::filesystem::path database = alpha_.home() / "vault.db";
  const std::string good = read_text(database);
  constexpr std::size_t kPage = 4096;
  const std::size_t pages = good.size() / kPage;
  ASSERT_GT(pages, 100u);
  std::mt19937_64 dice(20261128);
  for (int i = 0; i < 40; ++i) {
    const std::size_t one = dice() % pages, other = dice() % pages;
    if (one == other) continue;
    std::string bad = good;
    bad.replace(one * kPage, kPage, good, other * kPage, kPage);
    if (i % 2 == 0) bad.replace(other * kPage, kPage, good, one * kPage, kPage);
    write_text(database, bad);
    EXPECT_SAYS(alpha_.run({"export", "--canonical"}), 1, "is not what this vault wrote there");
  }
  write_text(database, good);
  EXPECT_EQ(alpha_.run({"export", "--canonical"}).code, 0);
  // Another member's files, each with its own owner's key.
  for (const char* name : {"vault.db", "vault.hdr"}) {
    const std::string ours = read_text(alpha_.home() / name);
    write_text(alpha_.home() / name, read_text(bravo_.home() / name));
    EXPECT_NE(alpha_.run({"export", "--canonical"}).code, 0) << name;
    write_text(alpha_.home() / name, ours);
  }
  for (const auto& entry : std::filesystem::directory_iterator(bravo_.home())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("vault") || !std::filesystem::exists(alpha_.home() / name) || name.ends_with(".lock"))
      continue;
    const std::string ours = read_text(alpha_.home() / name);
    write_text(alpha_.home() / name, read_text(entry.path()));
    const Ended drafted =
        alpha_.run({"group", "draft", name, "--purpose", "p", "--until", date_in(1), "--allow", "ipv4:count"});
    EXPECT_SAYS(drafted, 1, ".key");
    write_text(alpha_.home() / name, ours);
  }
}

}  // namespace
}  // namespace parley::program
