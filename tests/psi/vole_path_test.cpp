// A receiver is free to choose any path through each tree, also one that leads to no leaf: what it can then compute.
// (Trees have fewer leaves than their depth allows; a path may end in a stub.)
#include <gtest/gtest.h>

#include <thread>

#include "base/random.h"
#include "crypto/gf128.h"
#include "psi/memory_channel.h"
#include "psi/vole/detail/pads.h"
#include "psi/vole/vole.h"
#include "psi/vole_blocks.h"

namespace parley::psi::vole {
namespace {

using crypto::Block;
using crypto::Drbg;
using crypto::kBlockBytes;

const Digest kSession{std::byte{3}};

TreeSizes tree_of(std::size_t leaves) {
  return {leaves, static_cast<std::size_t>(std::bit_width(leaves - 1))};
}

/// All that follows from the sums beside `path`: the sum of every leaf and stub but the one that the path ends in, and
/// whether that is a stub.
struct Computed {
  Block all_but_end;
  std::vector<Block> leaves;  // zero where it is not known
  bool ends_in_stub = false;
};

/// @param known  for each level the sum on the side that the path does not take.
Computed compute_all(const TreePermutations& permutations, const TreeSizes& sizes, std::size_t path,
                     std::span<const Block> known) {
  Computed computed;
  constexpr std::size_t kNone = ~std::size_t{0};
  std::size_t unknown = 0;  // the node of the level that is not known
  std::vector<Block> nodes(1);
  for (std::size_t level = 1; level <= sizes.depth; ++level) {
    const std::size_t parents = sizes.parents(level - 1);
    nodes.resize(parents);
    std::vector<Block> children(level == sizes.depth ? sizes.leaves : 2 * parents);
    crypto::expand_children(permutations.left, permutations.right, nodes, children);
    if (unknown != kNone) {
      const std::size_t side = (path >> (sizes.depth - level)) & 1;
      const std::size_t sibling = 2 * unknown + (1 - side);
      Block others;
      for (std::size_t i = 1 - side; i < children.size(); i += 2)
        if (i != sibling) others ^= children[i];
      children[sibling] = known[level - 1] ^ others;
      unknown = 2 * unknown + side;
      children[unknown] = Block{};
    }
    if (level < sizes.depth && sizes.parents(level) < children.size()) {
      computed.all_but_end ^= children.back();
      if (unknown == children.size() - 1) {
        computed.ends_in_stub = true;
        unknown = kNone;
      }
    }
    nodes = std::move(children);
  }
  for (const Block leaf : nodes) computed.all_but_end ^= leaf;
  computed.leaves = std::move(nodes);
  return computed;
}

TEST(TreePath, LeavesOneTermOfTheSumUnknownWhereverItEnds) {
  const TreePermutations permutations(kSession);
  for (const std::size_t leaves : std::initializer_list<std::size_t>{94, 96, 120, 126, 128, 130, 1000, 7634}) {
    SCOPED_TRACE(leaves);
    const TreeSizes sizes = tree_of(leaves);
    TreeWorkspace workspace(sizes);
    std::vector<LevelSums> sums(sizes.depth);
    std::vector<Block> grown(leaves);
    const Block all = grow(permutations, sizes, random_block(), sums, grown, workspace);
    std::size_t stubs_met = 0;
    for (std::size_t path = 0; path < std::size_t{1} << sizes.depth; ++path) {
      std::vector<Block> known(sizes.depth);
      for (std::size_t l = 0; l < sizes.depth; ++l)
        known[l] = ((path >> (sizes.depth - 1 - l)) & 1) != 0 ? sums[l].left : sums[l].right;
      const Computed computed = compute_all(permutations, sizes, path, known);
      ASSERT_EQ(computed.ends_in_stub, path >= leaves);
      stubs_met += computed.ends_in_stub ? 1 : 0;
      // What hides b_i is what is missing here: a leaf, or a stub, but never nothing.
      const Block missing = all ^ computed.all_but_end;
      ASSERT_FALSE(equal(missing, Block{})) << path;
      if (path < leaves) {
        ASSERT_TRUE(equal(missing, grown[path])) << path;
      } else {
        ASSERT_TRUE(std::ranges::equal(computed.leaves, grown, equal)) << path;  // so the stub is all that hides b_i
      }
    }
    EXPECT_EQ(stubs_met, (std::size_t{1} << sizes.depth) - leaves);
  }
}

/// What a receiver that takes `path` through the first tree takes for Delta, when the rest of its run is honest up to
/// the trees.
struct Attack {
  Block guessed, delta;
  bool ends_in_stub = false;
};

Attack attack_by(std::size_t outputs, std::size_t path) {
  const Plan plan{sizes_for(outputs), 1};
  const TreeSizes& tree = plan.sizes.tree;
  MemoryChannels channels = memory_channels();
  Attack attack;
  std::thread victim([&] {
    ThreadPool pool(1);
    SilentProgress progress;
    psi::detail::Work work(pool, progress);
    psi::detail::Conversation talk(*channels.second, kSession, Role::sender);
    const Secret<32> seed = random_secret<32>();
    Sender sender(kSession, seed, plan, talk, work);
    attack.delta = sender.delta();
    const auto hello = talk.receive(MessageType::receiver_hello, kBaseOtSenderBytes);
    ASSERT_TRUE(hello && talk.send(MessageType::sender_hello, sender.first_message()) && sender.extend(*hello));
    ASSERT_TRUE(sender.next_instance());
  });

  ThreadPool pool(1);
  psi::detail::Conversation talk(*channels.first, kSession, Role::receiver);
  const BaseOtSender base(kSession, Drbg(random_secret<32>(), kSession, "attack"));
  EXPECT_TRUE(talk.send(MessageType::receiver_hello, base.message().encoding()));
  const auto keys = base.keys(*talk.receive(MessageType::sender_hello, kBaseOtReceiverBytes));
  crypto::SecretBlocks input(plan.extension_blocks());
  for (Block& block : input.expose_mutable()) block = random_block();
  Block& choices = input.expose_mutable()[kNoiseWeight + 1];
  for (std::size_t l = 0; l < tree.depth; ++l) {
    const std::uint64_t choice = 1 ^ ((path >> (tree.depth - 1 - l)) & 1);
    choices.low = (choices.low & ~(std::uint64_t{1} << l)) | (choice << l);
  }
  const ExtensionReceiver extension(kSession, *keys, std::move(input), pool);
  EXPECT_TRUE(talk.send(MessageType::correction, extension.correction()));
  const auto challenge = talk.receive(MessageType::challenge, kChallengeBytes);
  EXPECT_TRUE(talk.send(MessageType::response, extension.respond(crypto::load_block(*challenge))));

  const Bytes message = *talk.receive(MessageType::trees, plan.sizes.trees_bytes());
  std::vector<Block> pads(kColumns);
  const auto rows = extension.columns().rows(kNoiseWeight + 1);
  detail::PadHash{kSession}(0, 0, extension.input()[kNoiseWeight + 1], rows, pads);
  std::vector<Block> known(tree.depth);
  for (std::size_t l = 0; l < tree.depth; ++l) {
    const std::size_t chosen = 1 ^ ((path >> (tree.depth - 1 - l)) & 1);
    known[l] = crypto::load_block(ByteView(message).subspan((2 * l + chosen) * kBlockBytes)) ^ pads[l];
  }
  const Computed computed = compute_all(TreePermutations(kSession), tree, path, known);
  attack.ends_in_stub = computed.ends_in_stub;
  // sum + all that is known would be b_0, and b_0 = a_0 + Delta c_0.
  Block known_sum = computed.all_but_end;
  if (computed.ends_in_stub) {
    known_sum = {};
    for (const Block leaf : computed.leaves) known_sum ^= leaf;
  }
  const Block b = crypto::load_block(ByteView(message).subspan(2 * tree.depth * kBlockBytes)) ^ known_sum;
  attack.guessed = crypto::gf_multiply(b ^ extension.columns().packed(0), crypto::gf_invert(extension.input()[0]));

  const std::array<Block, 2> question{random_block(), random_block()};
  EXPECT_TRUE(talk.send(MessageType::tree_challenge, crypto::bytes_of(question)));
  EXPECT_TRUE(talk.receive(MessageType::tree_response, sizeof(Digest)).has_value());
  victim.join();
  return attack;
}

TEST(TreePath, GivesNoDeltaToAReceiverThatFollowsItOutOfTheTree) {
  for (const std::size_t outputs : std::initializer_list<std::size_t>{1000, 16'384, 81'537}) {
    const TreeSizes tree = sizes_for(outputs).tree;
    const std::size_t last = (std::size_t{1} << tree.depth) - 1;
    for (const std::size_t path : {last, tree.leaves, std::size_t{0}}) {
      const Attack attack = attack_by(outputs, path);
      EXPECT_EQ(attack.ends_in_stub, path >= tree.leaves);
      EXPECT_FALSE(equal(attack.guessed, attack.delta)) << outputs << ", path " << path;
    }
  }
}

}  // namespace
}  // namespace parley::psi::vole
