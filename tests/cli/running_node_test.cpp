// While a node runs, the member's other commands reach it over a local socket, and the user notices no difference.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "support/member.h"

namespace parley::program {
namespace {

// Connects to a member's local socket, as any process of the same user can.
FileDescriptor dial(const Member& member) {
  FileDescriptor connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = (member.home() / "node.sock").string();
  EXPECT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return connection;
}

TEST(RunningNode, GivesTheSameOutputAndExitCodeAsTheVaultItself) {
  const Member with_node("Alpha CERT"), without("Alpha CERT");
  const Node node(with_node);
  const std::string good = table({"ipv4,198.51.100.7", "domain,evil.example"});
  const std::string bad = table({"domain,fine.example", "ipv4,999.1.1.1"});
  for (const Member* member : {&with_node, &without}) {
    member->file("good.csv", good);
    member->file("bad.csv", bad);
    member->file("list.txt", "evil.example\n");
  }
  // File names are relative: the command runs in the node, which stands elsewhere.
  const std::vector<std::vector<std::string>> commands = {
      {"warninglist", "add", "list.txt"},
      {"warninglist", "list"},
      {"import", "good.csv", "--json"},
      {"import", "good.csv"},
      {"import", "bad.csv"},
      {"import", "bad.csv", "--lenient", "--json"},
      {"import", "absent.csv"},
      {"import", "good.csv", "--tlp", "purple"},
      {"export", "--canonical"},
      {"export", "--canonical", "--types", "ipv4"},
      {"export", "--canonical", "--types", "telephone"},
      {"peer", "list", "--json"},
      {"peer", "remove", "nobody"},
      {"ask", "nobody"},
      {"ask", "nobody", "--since", "yesterday"},
      {"show"},
      {"session", "list", "--json"},
      {"frobnicate"},
      {"import", "--help"},
  };
  for (const std::vector<std::string>& command : commands) {
    Ended handed = with_node.run(command), own = without.run(command);
    for (Ended* ended : {&handed, &own})  // the two members' folders differ
      for (std::string* text : {&ended->out, &ended->err})
        for (const Member* member : {&with_node, &without})
          for (std::size_t at; (at = text->find(member->folder().string())) != std::string::npos;)
            text->replace(at, member->folder().string().size(), "FOLDER");
    EXPECT_EQ(handed.code, own.code) << command[0] << "\n" << handed.err << own.err;
    EXPECT_EQ(handed.out, own.out) << command[0];
    EXPECT_EQ(handed.err, own.err) << command[0];
  }
  EXPECT_EQ(with_node.exported(), without.exported());
}

TEST(RunningNode, NeedsNoPassphraseAgainFromItsOwnUser) {
  const Member member("Alpha CERT");
  const Node node(member);
  Launch launch = member.launch({"peer", "list"});
  launch.environment.erase("PARLEY_KEY_FILE");
  EXPECT_EQ(run(launch).code, 0);
}

TEST(RunningNode, HasASocketThatOnlyItsUserCanOpen) {
  const Member member("Alpha CERT");
  const Node node(member);
  EXPECT_EQ(std::filesystem::status(member.home()).permissions(), std::filesystem::perms(0700));
  EXPECT_EQ(std::filesystem::status(member.home() / "node.sock").permissions(), std::filesystem::perms(0600));
}

TEST(RunningNode, CannotBeReachedByAnotherUserEvenWhereTheFolderIsOpen) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const Member member("Alpha CERT");
  Node node(member);
  // The worst that an operator can do to the modes.
  std::filesystem::permissions(member.folder(), std::filesystem::perms(0777));
  std::filesystem::permissions(member.home(), std::filesystem::perms(0777));
  std::filesystem::permissions(member.home() / "node.sock", std::filesystem::perms(0777));
  constexpr uid_t kNobody = 65534;
  const std::string path = (member.home() / "node.sock").string();
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setuid(kNobody) != 0) ::_exit(3);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) ::_exit(1);
    char byte;
    ::_exit(::read(fd, &byte, 1) == 0 ? 0 : 2);  // hung up on, unheard
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_LE(WEXITSTATUS(status), 1);
  EXPECT_EQ(member.run({"peer", "list"}).code, 0);
}

TEST(RunningNode, ServesOnAfterACommandThatWasKilled) {
  const TwoMembers members("ask");  // alpha's operator never decides
  const Node own_node(members.bravo());
  members.bravo().import(table({"ipv4,198.51.100.7"}));
  for (const int signal : {SIGKILL, SIGINT, SIGTERM}) {
    Process asking(members.bravo().launch({"ask", "alpha", "--yes"}));
    asking.line_of_err("In the end");
    asking.signal(signal);
    asking.wait();
    EXPECT_EQ(members.bravo().run({"export", "--canonical"}).out, "ipv4\t198.51.100.7\n");
  }
}

TEST(RunningNode, ServesOnAfterWhateverIsSaidToItsSocket) {
  const Member member("Alpha CERT");
  const Node node(member);
  for (const std::string& words :
       {std::string(), std::string("GET / HTTP/1.1\r\n\r\n"), std::string("parley-local/1\n"),
        std::string("parley-local/9\n\0\0\0\0", 19), std::string(100'000, '\xff')}) {
    const FileDescriptor connection = dial(member);
    static_cast<void>(::send(connection.get(), words.data(), words.size(), MSG_NOSIGNAL));
  }
  EXPECT_EQ(member.run({"peer", "list"}).code, 0);
}

TEST(RunningNode, ThatWasKilledLeavesASocketBehindThatHindersNobody) {
  const Member member("Alpha CERT");
  member.import(table({"ipv4,198.51.100.7"}));
  {
    Node node(member);
    node.process().signal(SIGKILL);
    node.process().wait();
  }
  EXPECT_TRUE(std::filesystem::exists(member.home() / "node.sock"));
  EXPECT_EQ(member.exported(), "ipv4\t198.51.100.7\n");
  Node again(member);
  EXPECT_EQ(member.exported(), "ipv4\t198.51.100.7\n");
  EXPECT_EQ(again.stop().code, 0);
}

TEST(RunningNode, EndsWithZeroWhileACommandWaits) {
  const TwoMembers members("ask");
  Node own_node(members.bravo());
  Process asking(members.bravo().launch({"ask", "alpha", "--yes"}));
  asking.line_of_err("In the end");
  EXPECT_EQ(own_node.stop().code, 0);
  EXPECT_EQ(asking.wait().code, 1);
}

}  // namespace
}  // namespace parley::program
