// parley peer: whom this member speaks to.
#include <fmt/format.h>

#include "base/file.h"
#include "base/hidden.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/json.h"
#include "wire/address.h"

namespace parley::cli {
namespace {

constexpr std::size_t kMaxCardBytes = 16 * 1024;
constexpr std::size_t kMaxNameBytes = 64;

struct AddArguments {
  std::string name, key, address;
};

Result<group::Card> card_from(Console& console, const std::string& key) {
  if (key.starts_with("parley-card1:")) return group::read_card(key);
  auto content = read_file(console.resolve(key), kMaxCardBytes);
  if (!content)
    return fail(content.error().code, "KEY is neither a card, as parley id prints it, nor a file with one.", key);
  auto card = group::read_card(as_text(*content));
  if (card) return card;
  Error error = std::move(card).error().at(key);
  error.message = "KEY takes a card, or a file with one, as the other side's parley id prints it. " + error.message;
  return std::unexpected(std::move(error));
}

// A card proves that its owner holds the signing key, not the TLS key that it names; and steps name their author by
// nick. So no two members that this vault knows may share either: a card could shut another one out.
Status check_is_another(const group::Card& card, const group::Card& known, std::string_view whose) {
  const bool same_key = card.tls_key == known.tls_key || card.id_vkey == known.id_vkey ||
                        card.node_vkey == known.node_vkey || card.log_vkey == known.log_vkey ||
                        card.cosign_vkey == known.cosign_vkey;
  if (same_key)
    return fail(Errc::exists, fmt::format("This card names the same key as {}. One of the two is false; ask its owner "
                                          "by voice.",
                                          whose));
  if (card.nick == known.nick)
    return fail(Errc::exists,
                fmt::format("This card has the same short name as {}: {}. Two members of one name cannot be told "
                            "apart in what they sign; one of them needs a member of another name.",
                            whose, card.nick));
  return {};
}

Status add(Workplace& at, const AddArguments& arguments) {
  if (arguments.name.empty() || arguments.name.size() > kMaxNameBytes || visible(arguments.name) != arguments.name)
    return fail(Errc::usage, "A peer's name has 1 to 64 bytes of visible text." + hidden_in(arguments.name));
  TRY_STATUS(wire::parse_callable_address(arguments.address));
  TRY(const group::Card card, card_from(at.console, arguments.key));
  if (card.tls_key == at.member.card.tls_key) return fail(Errc::usage, "This is your own card.");
  TRY_STATUS(check_is_another(card, at.member.card, "yours"));
  TRY(const auto peers, at.vault.peers());
  for (const vault::Peer& peer : peers) {
    if (peer.card == card.note) continue;
    TRY(const group::Card known, group::read_card(peer.card));
    if (peer.name != arguments.name) TRY_STATUS(check_is_another(card, known, "that of " + peer.name));
  }
  TRY(const vault::PeerChange change,
      at.vault.add_peer(
          {.name = arguments.name, .card = card.note, .address = arguments.address, .added = wall_clock_now()}));
  if (change == vault::PeerChange::moved) {
    at.console.say(fmt::format("{} has the keys that were pinned before; its address is {} from now on.",
                               arguments.name, visible(arguments.address)));
    return {};
  }
  at.console.say(fmt::format("Added {} (\"{}\"). Its keys are pinned: nobody else can answer in its name.",
                             arguments.name, visible(card.name)));
  at.console.say(fmt::format("Compare its fingerprint with the other side by voice before you ask anything:\n  {}",
                             card.fingerprint()));
  return {};
}

Status list(Workplace& at, bool as_json) {
  TRY(const auto peers, at.vault.peers());
  OrderedJson array = OrderedJson::array();
  for (const vault::Peer& peer : peers) {
    TRY(const group::Card card, group::read_card(peer.card));
    array.push_back({{"name", peer.name},
                     {"member", card.name},
                     {"address", peer.address},
                     {"fingerprint", card.fingerprint()},
                     {"confirmed", peer.confirmed != 0 ? OrderedJson(to_rfc3339(peer.confirmed)) : OrderedJson()}});
    if (!as_json)
      at.console.print(
          fmt::format("{}\t{}\t{}\t{}\t{}\n", peer.name, visible(card.name), peer.address, card.fingerprint(),
                      peer.confirmed != 0 ? "compared by voice" : "NOT compared by voice: parley confirm"));
  }
  if (as_json) at.console.print(to_line(array));
  if (!as_json && peers.empty())
    at.console.say("No peers yet. parley peer add NAME KEY ADDRESS adds one; KEY is what its parley id prints.");
  return {};
}

Status remove(Workplace& at, const std::string& name) {
  TRY_STATUS(at.vault.remove_peer(name));
  at.console.say(fmt::format(
      "Removed {}. This node refuses its key from now on; what it has learned in earlier sessions it keeps.",
      visible(name)));
  return {};
}

}  // namespace

void add_peer(Command& program, Chosen& chosen) {
  Command* command = program.add_subcommand("peer", "Whom this member speaks to: add, list, remove");
  command->require_subcommand(1);
  const auto arguments = std::make_shared<AddArguments>();
  const auto as_json = std::make_shared<bool>(false);
  const auto at_work = [&chosen](auto body) {
    return [&chosen, body] {
      chosen.at_work = [body](Workplace& at) {
        const Status done = body(at);
        return done ? 0 : at.console.refuse(done.error());
      };
    };
  };
  Command* add_command = command->add_subcommand("add", "Pin a peer's keys, or give a pinned one another address");
  add_command->add_option("NAME", arguments->name, "What you call it")->required();
  add_command->add_option("KEY", arguments->key, "What its parley id prints, or a file with that")->required();
  add_command->add_option("ADDRESS", arguments->address, "Where its node listens, host:port")->required();
  add_command->callback(at_work([arguments](Workplace& at) { return add(at, *arguments); }));
  Command* list_command = command->add_subcommand("list", "Print the peers with their fingerprints");
  list_command->add_flag("--json", *as_json, "Print a JSON array");
  list_command->callback(at_work([as_json](Workplace& at) { return list(at, *as_json); }));
  Command* remove_command = command->add_subcommand("remove", "Forget a peer; its key is refused from then on");
  remove_command->add_option("NAME", arguments->name, "What you call it")->required();
  remove_command->callback(at_work([arguments](Workplace& at) { return remove(at, arguments->name); }));
}

}  // namespace parley::cli
