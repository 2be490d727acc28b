// The two parties of a measurement, and the parent that starts them.
#include "cli/bench_psi.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <functional>

#include "base/encoding.h"
#include "base/file.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "crypto/hash.h"
#include "log/note.h"
#include "node/listener.h"
#include "psi/intersect/protocol.h"
#include "psi/limits.h"
#include "wire/link.h"

namespace parley::cli {
namespace {

constexpr std::size_t kItemBytes = 32;
constexpr std::size_t kFloorTagBytes = 16;
constexpr std::uint8_t kItemType = 9;  // sha256: 32 random bytes of it
constexpr auto kPatience = std::chrono::hours(2);
constexpr std::size_t kMaxLineBytes = 1 << 20;

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

std::uint64_t peak_rss_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

double seconds_since(Deadline begin) {
  return std::chrono::duration<double>(Monotonic::now() - begin).count();
}

// Item `index` of a stream: the first quarter of both parties' items comes from the same stream.
psi::Elements make_items(std::uint64_t count, const Secret<32>& shared, const Secret<32>& own) {
  const std::uint64_t common = count / 4;
  Bytes random(count * kItemBytes);
  randombytes_buf_deterministic(random.data(), common * kItemBytes, as_uchar(shared.expose()));
  randombytes_buf_deterministic(random.data() + common * kItemBytes, (count - common) * kItemBytes,
                                as_uchar(own.expose()));
  psi::Elements items;
  items.reserve(count, count * (kItemBytes + 3));
  for (std::uint64_t i = 0; i < count; ++i) {
    Bytes typed;
    append_be<std::uint8_t>(typed, kItemType);
    append_be<std::uint16_t>(typed, kItemBytes);
    append(typed, ByteView(random).subspan(i * kItemBytes, kItemBytes));
    items.push_back(typed);
  }
  return items;
}

// Phases with the seconds that each took.
class PhaseTimes final : public Progress {
 public:
  void phase(std::string_view name, std::uint64_t) override {
    finish();
    name_ = name;
    began_ = Monotonic::now();
  }
  void advance(std::uint64_t) override {}
  void finish() {
    if (!name_.empty()) times_[name_] = times_.value(name_, 0.0) + seconds_since(began_);
    name_.clear();
  }
  const OrderedJson& times() const { return times_; }

 private:
  OrderedJson times_ = OrderedJson::object();
  std::string name_;
  Deadline began_{};
};

struct Orders {
  BenchPlan plan;
  bool is_receiver = false;
  Secret<32> shared, own, node_seed, tls_seed;
  std::string peer_vkey;
  ByteArray<32> peer_tls{};
  std::string address;  // empty: listen and say where
};

using Tag = std::array<std::byte, kFloorTagBytes>;
using TagFunction = std::function<Tag(ByteView)>;

Tag sha256_tag(ByteView item) {
  const Digest digest = crypto::sha256(item);
  Tag tag;
  std::copy_n(digest.begin(), tag.size(), tag.begin());
  return tag;
}

// SipHash-2-4-128: a fast keyed hash of a well-kept library.
Tag fast_tag(ByteView item) {
  static constexpr unsigned char kKey[crypto_shorthash_siphashx24_KEYBYTES] = {};
  Tag tag;
  static_assert(crypto_shorthash_siphashx24_BYTES == kFloorTagBytes);
  crypto_shorthash_siphashx24(as_uchar_mutable(tag), as_uchar(item), item.size(), kKey);
  return tag;
}

std::uint64_t count_common(const std::vector<Tag>& ours, const Bytes& theirs) {
  const std::size_t slots = std::bit_ceil(ours.size() * 2 + 1);
  std::vector<std::uint32_t> table(slots, 0);
  const auto slot_of = [&](const std::byte* tag) {
    std::uint64_t word;
    std::memcpy(&word, tag, sizeof(word));
    return static_cast<std::size_t>(word) & (slots - 1);
  };
  for (std::size_t i = 0; i < ours.size(); ++i) {
    std::size_t slot = slot_of(ours[i].data());
    while (table[slot] != 0) slot = (slot + 1) & (slots - 1);
    table[slot] = static_cast<std::uint32_t>(i + 1);
  }
  std::uint64_t common = 0;
  for (std::size_t at = 0; at < theirs.size(); at += kFloorTagBytes)
    for (std::size_t slot = slot_of(&theirs[at]); table[slot] != 0; slot = (slot + 1) & (slots - 1))
      if (std::memcmp(ours[table[slot] - 1].data(), &theirs[at], kFloorTagBytes) == 0) {
        ++common;
        break;
      }
  return common;
}

std::size_t ahead_bytes(const Orders& orders) {
  return 2 * orders.plan.items * psi::kAheadBytesPerElement;
}

// The floor: what an exchange costs that protects nothing. The sender hashes and sends, the receiver hashes and joins.
Result<double> run_floor(const Orders& orders, const psi::Elements& items, wire::Link& link,
                         const TagFunction& tag_of) {
  const auto channel = wire::psi_channel(link, 0, deadline_in(kPatience), ahead_bytes(orders));
  const Deadline begin = Monotonic::now();
  std::vector<Tag> tags(items.size());
  for (std::size_t i = 0; i < tags.size(); ++i) tags[i] = tag_of(items[i]);
  const std::size_t size_bytes = tags.size() * kFloorTagBytes;
  if (!orders.is_receiver) {
    TRY_STATUS(
        channel->send(psi::MessageType::tags, ByteView(reinterpret_cast<const std::byte*>(tags.data()), size_bytes)));
    TRY_STATUS(channel->flush());
    TRY(const Bytes done, channel->receive(psi::MessageType::matched_count, 1));
    return seconds_since(begin);
  }
  TRY(const Bytes theirs, channel->receive(psi::MessageType::tags, size_bytes));
  if (count_common(tags, theirs) != orders.plan.items / 4) return fail(Errc::internal, "The floor's result is wrong.");
  TRY_STATUS(channel->send(psi::MessageType::matched_count, Bytes(1)));
  TRY_STATUS(channel->flush());
  return seconds_since(begin);
}

Status meet(wire::Link& link) {
  TRY_STATUS(link.send(wire::FrameType::opening, {}));
  TRY(const wire::Frame frame, link.receive(deadline_in(kPatience)));
  return frame.type == wire::FrameType::opening ? Status() : fail(Errc::protocol, "The other party is out of step.");
}

Result<std::unique_ptr<wire::Link>> open_link(const Orders& orders) {
  wire::LocalIdentity us{.nick = orders.is_receiver ? "receiver" : "sender",
                         .node_key_name = orders.is_receiver ? "receiver/node" : "sender/node",
                         .node_seed = orders.node_seed.clone(),
                         .tls_seed = orders.tls_seed.clone()};
  const wire::PinnedPeer peer{.name = orders.is_receiver ? "sender" : "receiver",
                              .nick = orders.is_receiver ? "sender" : "receiver",
                              .node_vkey = orders.peer_vkey,
                              .tls_key = orders.peer_tls};
  if (!orders.address.empty()) return wire::connect(orders.address, us, peer);
  TRY(auto listener, node::Listener::open("127.0.0.1:0"));
  fmt::print("{}\n", listener.address());
  std::fflush(stdout);
  auto incoming = listener.next();
  if (!incoming) return fail(Errc::io, "Nobody connected.");
  return wire::accept(std::move(incoming->connection), us, [&](const ByteArray<32>& key) {
    return key == peer.tls_key ? std::optional(peer) : std::nullopt;
  });
}

Result<OrderedJson> run_party(const Orders& orders) {
  TRY(const auto link, open_link(orders));
  const psi::Elements items = make_items(orders.plan.items, orders.shared, orders.own);
  TRY_STATUS(meet(*link));
  TRY(const double floor_sha256, run_floor(orders, items, *link, sha256_tag));
  TRY_STATUS(meet(*link));
  TRY(const double floor_fast, run_floor(orders, items, *link, fast_tag));

  ::malloc_trim(0);  // what the floors leave in the heap is not the protocol's

  TRY(const auto protocol, psi::protocol_named(orders.plan.protocol));
  ThreadPool pool(orders.plan.threads);
  PhaseTimes phases;
  const psi::Parameters parameters{.role = orders.is_receiver ? psi::Role::receiver : psi::Role::sender,
                                   .reply = psi::Reply::none,
                                   .session_id = crypto::sha256(orders.shared.expose()),
                                   .peer_count = orders.plan.items};
  const Secret<32> seed = random_secret<32>();
  TRY_STATUS(meet(*link));
  const std::uint64_t sent_before = link->bytes_sent();
  const double cpu_before = cpu_seconds();
  const Deadline begin = Monotonic::now();
  const auto channel = wire::psi_channel(*link, protocol->suite(), deadline_in(kPatience), ahead_bytes(orders));
  TRY(const psi::Outcome outcome, protocol->run(parameters, items, seed, *channel, pool, phases));
  const double seconds = seconds_since(begin);
  phases.finish();
  if (orders.is_receiver) {
    bool right = outcome.matches.size() == orders.plan.items / 4;
    for (std::size_t i = 0; right && i < outcome.matches.size(); ++i) right = outcome.matches[i].position == i;
    if (!right) return fail(Errc::internal, "The result is wrong.");
  }
  return OrderedJson{{"seconds", seconds},
                     {"cpu_seconds", cpu_seconds() - cpu_before},
                     {"bytes_sent", link->bytes_sent() - sent_before},
                     {"rounds", channel->rounds()},
                     {"peak_rss_bytes", peak_rss_bytes()},
                     {"phases", phases.times()},
                     {"floor_sha256_seconds", floor_sha256},
                     {"floor_fast_hash_seconds", floor_fast},
                     {"transcript", to_hex(outcome.transcript)}};
}

Secret<32> secret_from(const OrderedJson& json, const char* key) {
  Secret<32> secret;
  return read_hex(json.value(key, ""), secret.expose_mutable()) ? std::move(secret) : Secret<32>();
}

// A started party: its process and both ends of its pipes.
class Party {
 public:
  static Result<Party> start() {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0)
      return fail(Errc::io, "No pipe could be made: " + system_error_text(errno) + ".");
    Party party;
    party.pid_ = ::fork();
    if (party.pid_ < 0) return fail(Errc::io, "No process could be started: " + system_error_text(errno) + ".");
    if (party.pid_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::execl("/proc/self/exe", "parley", std::string(kBenchPartyCommand).c_str(), nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    party.to_ = FileDescriptor(in[1]);
    party.from_ = FileDescriptor(out[0]);
    return party;
  }
  Party() = default;
  Party(Party&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), to_(std::move(other.to_)), from_(std::move(other.from_)) {}
  Party& operator=(Party&&) = delete;
  ~Party() {
    if (pid_ <= 0) return;
    to_.close();
    from_.close();
    ::waitpid(pid_, nullptr, 0);
  }

  Status order(const OrderedJson& orders) const {
    const std::string line = to_line(orders);
    if (::write(to_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      return fail(Errc::io, "A party did not take its orders.");
    return {};
  }
  Result<std::string> line() const {
    std::string line;
    for (char c = 0; line.size() < kMaxLineBytes; line += c) {
      if (::read(from_.get(), &c, 1) != 1)
        return fail(Errc::internal, "A party ended before it had anything to say; its error stands above.");
      if (c == '\n') return line;
    }
    return fail(Errc::limit, "A party says too much.");
  }

 private:
  pid_t pid_ = -1;
  FileDescriptor to_, from_;
};

std::string public_key_text(const Secret<32>& seed) {
  const log::VerifierKey key = log::vkey_of("x", log::KeyType::ed25519, seed);
  return to_hex(key.key);
}

OrderedJson orders_for(const BenchPlan& plan, bool is_receiver, const Secret<32>& shared, const Secret<32>& node,
                       const Secret<32>& tls, const Secret<32>& peer_node, const Secret<32>& peer_tls,
                       const std::string& address) {
  return {{"n", plan.items},
          {"protocol", plan.protocol},
          {"threads", plan.threads},
          {"receiver", is_receiver},
          {"shared", to_hex(shared.expose())},
          {"own", to_hex(random_secret<32>().expose())},
          {"node", to_hex(node.expose())},
          {"tls", to_hex(tls.expose())},
          {"peer_vkey",
           log::vkey_of(is_receiver ? "sender/node" : "receiver/node", log::KeyType::ed25519, peer_node).text()},
          {"peer_tls", public_key_text(peer_tls)},
          {"address", address}};
}

Result<OrderedJson> figures_of(const Party& party) {
  TRY(const std::string line, party.line());
  OrderedJson figures = OrderedJson::parse(line, nullptr, false);
  if (!figures.is_object()) return fail(Errc::internal, "A party gave no figures.");
  return figures;
}

}  // namespace

int bench_party() {
  std::string line;
  for (int c = std::getchar(); c != EOF && c != '\n' && line.size() < kMaxLineBytes; c = std::getchar())
    line += static_cast<char>(c);
  const OrderedJson json = OrderedJson::parse(line, nullptr, false);
  if (!json.is_object()) return 2;
  Orders orders{.plan = {.items = json.value("n", std::uint64_t{0}),
                         .protocol = json.value("protocol", ""),
                         .threads = json.value("threads", std::size_t{1}),
                         .line = {}},
                .is_receiver = json.value("receiver", false),
                .shared = secret_from(json, "shared"),
                .own = secret_from(json, "own"),
                .node_seed = secret_from(json, "node"),
                .tls_seed = secret_from(json, "tls"),
                .peer_vkey = json.value("peer_vkey", ""),
                .peer_tls = {},
                .address = json.value("address", "")};
  const Secret<32> peer_tls = secret_from(json, "peer_tls");
  std::ranges::copy(peer_tls.expose(), orders.peer_tls.begin());
  const auto figures = run_party(orders);
  if (!figures) {
    fmt::print(stderr, "parley: {}\n", figures.error().text());
    return 1;
  }
  fmt::print("{}", to_line(*figures));
  return 0;
}

Result<OrderedJson> measure_psi(const BenchPlan& plan) {
  const Secret<32> shared = random_secret<32>();
  const std::array<Secret<32>, 2> node = {random_secret<32>(), random_secret<32>()};
  const std::array<Secret<32>, 2> tls = {random_secret<32>(), random_secret<32>()};
  TRY(const Party receiver, Party::start());
  TRY_STATUS(receiver.order(orders_for(plan, true, shared, node[0], tls[0], node[1], tls[1], "")));
  TRY(std::string address, receiver.line());
  std::unique_ptr<Relay> relay;
  if (plan.line) {
    TRY(relay, Relay::start(*plan.line, address));
    address = relay->address();
  }
  TRY(const Party sender, Party::start());
  TRY_STATUS(sender.order(orders_for(plan, false, shared, node[1], tls[1], node[0], tls[0], address)));
  TRY(const OrderedJson a, figures_of(receiver));
  TRY(const OrderedJson b, figures_of(sender));
  if (a["transcript"] != b["transcript"]) return fail(Errc::internal, "The two parties' transcripts differ.");
  TRY(const auto protocol, psi::protocol_named(plan.protocol));
  OrderedJson figures{
      {"n", plan.items},
      {"protocol", protocol->name()},
      {"code", protocol->code()},
      {"threads", plan.threads},
      {"seconds", std::max(a.value("seconds", 0.0), b.value("seconds", 0.0))},
      {"cpu_seconds", {a["cpu_seconds"], b["cpu_seconds"]}},
      {"bytes_total", a.value("bytes_sent", std::uint64_t{0}) + b.value("bytes_sent", std::uint64_t{0})},
      {"rounds", std::max(a.value("rounds", 0), b.value("rounds", 0))},
      {"peak_rss_bytes", {a["peak_rss_bytes"], b["peak_rss_bytes"]}},
      {"phases", {{"receiver", a["phases"]}, {"sender", b["phases"]}}},
      {"floor_sha256_seconds", std::max(a.value("floor_sha256_seconds", 0.0), b.value("floor_sha256_seconds", 0.0))},
      {"floor_fast_hash_seconds",
       std::max(a.value("floor_fast_hash_seconds", 0.0), b.value("floor_fast_hash_seconds", 0.0))}};
  if (plan.line) {
    figures["megabits_per_second"] = plan.line->megabits_per_second;
    figures["round_trip_ms"] = plan.line->round_trip_ms;
  }
  return figures;
}

}  // namespace parley::cli
