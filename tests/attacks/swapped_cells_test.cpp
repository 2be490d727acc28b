// Whoever can write to a member's database below its page keys (a fault in SQLite, a member who knows its own
// passphrase) moves sealed cells to other places: each is bound to its table, its row and its vault, and opens nowhere
// else.
#include "vault/detail/database.h"
#include "vault/detail/key_slots.h"
#include "vault/tables.h"

namespace parley::vault {
namespace {

class SwappedCells : public testing::Test {
 protected:
  static std::string session_id(char digit) { return std::string(32, digit); }
  /// A session with one match, whose place in the commitments is sealed.
  static Status save_session(Vault& vault, char digit, std::string_view value, std::string_view commitment) {
    SessionRow row;
    row.id = session_id(digit);
    row.peer = "bravo";
    row.state = "result";
    TRY_STATUS(vault.save_session(row, {}));
    const SessionMatch match{
        canonical(indicator::Type::domain, std::string(value)), 1, 0, "", "", "", to_bytes(as_bytes(commitment))};
    return vault.save_result(row, {}, {{match}});
  }
  static std::string cell_of(const TestVault& test, const std::string& query) {
    std::string hex;
    const auto header = detail::parse_header(read_whole(test.folder() / "vault.hdr"));
    const auto vault_key = detail::unlock_header(*header, test.unlock());
    auto vfs = detail::SealedVfs::make(test.folder().path(), detail::derive_subkey(*vault_key, Subkey::pages));
    auto connection = detail::Connection::open(std::move(*vfs), test.folder() / "vault.db", false);
    auto statement = (*connection)->prepare(query);
    EXPECT_OK(statement);
    EXPECT_TRUE(*statement->step());
    return std::string(statement->text(0));
  }
};

TEST_F(SwappedCells, OfTwoSecretsOpenInNeitherPlace) {
  const TestVault test;
  {
    const auto vault = test.open();
    ASSERT_OK(vault->put_secret("group-key/one", as_bytes("of one")));
    ASSERT_OK(vault->put_secret("group-key/two", as_bytes("of two")));
    ASSERT_OK(vault->put_secret("session/a/salts", as_bytes("salts")));
  }
  execute_in(test,
             "CREATE TEMP TABLE t AS SELECT * FROM secrets;"
             "UPDATE secrets SET sealed=(SELECT sealed FROM t WHERE name='group-key/two') WHERE name='group-key/one';"
             "UPDATE secrets SET sealed=(SELECT sealed FROM t WHERE name='group-key/one') WHERE name='group-key/two';");
  const auto vault = test.open();
  EXPECT_FAILS(vault->secret("group-key/one"), Errc::vault_damaged);
  EXPECT_FAILS(vault->secret("group-key/two"), Errc::vault_damaged);
  EXPECT_OK(vault->secret("session/a/salts")) << "what was not touched opens";
}

TEST_F(SwappedCells, OfARenamedSecretDoNotOpen) {
  const TestVault test;
  ASSERT_OK(test.open()->put_secret("session/a/salts", as_bytes("salts")));
  execute_in(test, "UPDATE secrets SET name='session/b/salts'");
  EXPECT_FAILS(test.open()->secret("session/b/salts"), Errc::vault_damaged);
}

TEST_F(SwappedCells, OfTwoSessionsOrTwoMatchesAreRefused) {
  const TestVault test;
  {
    const auto vault = test.open();
    ASSERT_OK(save_session(*vault, 'a', "one.example", "place of one"));
    ASSERT_OK(save_session(*vault, 'b', "one.example", "place in b"));
    ASSERT_OK(save_session(*vault, 'c', "two.example", "place of two"));
    ASSERT_EQ(as_text(vault->session_matches(session_id('a'))->at(0).commitment), "place of one");
  }
  execute_in(test,
             "CREATE TEMP TABLE t AS SELECT * FROM matches;"
             "UPDATE matches SET sealed_commitment=(SELECT sealed_commitment FROM t WHERE t.session<>matches.session "
             "ORDER BY t.session LIMIT 1)");
  const auto vault = test.open();
  for (const char digit : {'a', 'b', 'c'}) EXPECT_FAILS(vault->session_matches(session_id(digit)), Errc::vault_damaged);
}

TEST_F(SwappedCells, OfAMatchAndASecretAreRefusedInEachOthersPlace) {
  const TestVault test;
  {
    const auto vault = test.open();
    ASSERT_OK(save_session(*vault, 'a', "one.example", "place of one"));
    ASSERT_OK(vault->put_secret("x", as_bytes("secret")));
  }
  execute_in(
      test,
      "CREATE TEMP TABLE t AS SELECT (SELECT sealed FROM secrets) AS s, (SELECT sealed_commitment FROM matches) AS m;"
      "UPDATE secrets SET sealed=(SELECT m FROM t); UPDATE matches SET sealed_commitment=(SELECT s FROM t);");
  const auto vault = test.open();
  EXPECT_FAILS(vault->secret("x"), Errc::vault_damaged);
  EXPECT_FAILS(vault->session_matches(session_id('a')), Errc::vault_damaged);
}

TEST_F(SwappedCells, OfAnotherVaultOfTheSameMemberAreRefused) {
  const TestVault one, other;
  ASSERT_OK(one.open()->put_secret("x", as_bytes("of one")));
  ASSERT_OK(other.open()->put_secret("x", as_bytes("of the other")));
  const std::string cell = cell_of(other, "SELECT hex(sealed) FROM secrets");
  execute_in(one, "UPDATE secrets SET sealed=x'" + cell + "'");
  EXPECT_FAILS(one.open()->secret("x"), Errc::vault_damaged);
}

TEST_F(SwappedCells, WithAnyBitFlippedOrCutAreRefused) {
  const TestVault test;
  ASSERT_OK(test.open()->put_secret("x", as_bytes("s")));
  const std::string cell = cell_of(test, "SELECT hex(sealed) FROM secrets");
  for (std::size_t i = 0; i < cell.size(); i += 5) {
    std::string altered = cell;
    altered[i] = altered[i] == '0' ? '1' : '0';
    execute_in(test, "UPDATE secrets SET sealed=x'" + altered + "'");
    EXPECT_FAILS(test.open()->secret("x"), Errc::vault_damaged) << i;
  }
  execute_in(test, "UPDATE secrets SET sealed=x'" + cell.substr(0, cell.size() - 2) + "'");
  EXPECT_FAILS(test.open()->secret("x"), Errc::vault_damaged);
  execute_in(test, "UPDATE secrets SET sealed=x''");
  EXPECT_FAILS(test.open()->secret("x"), Errc::vault_damaged);
}

}  // namespace
}  // namespace parley::vault
