// What two instances of one VOLE may not share, from the messages that both sides really send and against a slow model
// of the protocol: noise, choice bits, correlations, roots, pads, challenges, masks, hashes, code.
#include <gtest/gtest.h>

#include <set>

#include "base/encoding.h"
#include "crypto/cpu.h"
#include "crypto/gf128.h"
#include "psi/two_parties.h"
#include "psi/vole/vole.h"
#include "psi/vole_blocks.h"

namespace parley::psi::vole {
namespace {

using crypto::Block;
using crypto::Drbg;
using crypto::kBlockBytes;

const Digest kSession{std::byte{11}};
constexpr std::size_t kInstances = 2;
const Plan kPlan{sizes_for(1), kInstances};
const TreeSizes kTree = kPlan.sizes.tree;

constexpr std::string_view kFrozenRun = "b412cb28ed164c68fbe361f893e742001427ee2c34a2d0b07e66617134ef090d";

Block block_at(ByteView bytes, std::size_t i) {
  return crypto::load_block(bytes.subspan(i * kBlockBytes));
}

std::string hex(Block block) {
  return to_hex(crypto::bytes_of({&block, 1}));
}

/// What both sides sent, by type in order, and the outputs that they got.
struct Recording {
  Bytes receiver_hello, sender_hello, correction, challenge, response;
  std::vector<Bytes> trees, tree_challenge, tree_response;
  std::vector<std::vector<Block>> a, b, c;  // of each instance

  Digest digest() const {
    crypto::Sha256 hash;
    for (const Bytes* message : {&receiver_hello, &sender_hello, &correction, &challenge, &response})
      hash.update(*message);
    for (std::size_t i = 0; i < kInstances; ++i) {
      for (const Bytes* message : {&trees[i], &tree_challenge[i], &tree_response[i]}) hash.update(*message);
      for (const auto* outputs : {&a[i], &b[i], &c[i]}) hash.update(crypto::bytes_of(*outputs));
    }
    return hash.finish();
  }
};

Secret<32> receiver_seed() {
  return test_seed(1);
}
Secret<32> sender_seed() {
  return test_seed(2);
}

Recording record() {
  MemoryChannels channels = memory_channels(kPatience);
  DeviatingChannel at_receiver(*channels.first, {}), at_sender(*channels.second, {});
  Recording recording;
  const auto outputs_of = [](auto&& fill) {
    std::vector<Block> outputs(kPlan.sizes.outputs);
    fill(outputs);
    return outputs;
  };
  std::thread other([&] {
    ThreadPool pool(1);
    SilentProgress progress;
    psi::detail::Work work(pool, progress);
    psi::detail::Conversation talk(at_sender, kSession, Role::sender);
    const Secret<32> seed = sender_seed();
    Sender sender(kSession, seed, kPlan, talk, work);
    const auto hello = talk.receive(MessageType::receiver_hello, kBaseOtSenderBytes);
    ASSERT_TRUE(hello && talk.send(MessageType::sender_hello, sender.first_message()) && sender.extend(*hello));
    for (std::size_t i = 0; i < kInstances; ++i) {
      ASSERT_TRUE(sender.next_instance());
      recording.b.push_back(outputs_of([&](std::vector<Block>& b) { sender.outputs(0, b); }));
    }
  });
  ThreadPool pool(1);
  SilentProgress progress;
  psi::detail::Work work(pool, progress);
  psi::detail::Conversation talk(at_receiver, kSession, Role::receiver);
  const Secret<32> seed = receiver_seed();
  Receiver receiver(kSession, seed, kPlan, talk, work);
  EXPECT_TRUE(talk.send(MessageType::receiver_hello, receiver.first_message()));
  const auto hello = talk.receive(MessageType::sender_hello, kBaseOtReceiverBytes);
  EXPECT_TRUE(hello && receiver.extend(*hello) && receiver.answer_challenge());
  for (std::size_t i = 0; i < kInstances; ++i) {
    EXPECT_TRUE(receiver.next_instance());
    std::vector<Block> c(kPlan.sizes.outputs);
    recording.a.push_back(outputs_of([&](std::vector<Block>& a) { receiver.outputs(0, a, c); }));
    recording.c.push_back(std::move(c));
  }
  other.join();

  std::vector<Message> sent = at_receiver.sent();
  sent.insert(sent.end(), at_sender.sent().begin(), at_sender.sent().end());
  const std::pair<MessageType, Bytes*> once[] = {{MessageType::receiver_hello, &recording.receiver_hello},
                                                 {MessageType::sender_hello, &recording.sender_hello},
                                                 {MessageType::correction, &recording.correction},
                                                 {MessageType::challenge, &recording.challenge},
                                                 {MessageType::response, &recording.response}};
  for (const Message& message : sent) {
    for (const auto& [type, place] : once)
      if (message.type == type) *place = message.payload;
    if (message.type == MessageType::trees) recording.trees.push_back(message.payload);
    if (message.type == MessageType::tree_challenge) recording.tree_challenge.push_back(message.payload);
    if (message.type == MessageType::tree_response) recording.tree_response.push_back(message.payload);
  }
  return recording;
}

const Recording& recorded() {
  static const Recording recording = record();
  return recording;
}

// --- the model: psi.md 2.2 bit by bit, one value after the other ----------------------------------------------------

Bytes labelled(std::string_view label) {
  Bytes bytes{static_cast<std::byte>(label.size())};
  append(bytes, as_bytes(label));
  append(bytes, kSession);
  return bytes;
}

std::vector<Block> stream(const Secret<32>& seed, std::string_view label, std::size_t blocks) {
  std::vector<Block> values(blocks);
  Drbg(seed, kSession, label).fill(0, crypto::mutable_bytes_of(values));
  return values;
}

/// The sum of point^(k+1) values[k], by Horner.
Block power_sum(Block point, std::span<const Block> values) {
  Block sum;
  for (std::size_t k = values.size(); k-- > 0;) sum = gf_multiply(sum ^ values[k], point);
  return sum;
}

/// The combination of all leaves: leaf j of tree i under the power (i + 1) * leaves + j + 1.
Block combined(Block point, std::span<const Block> leaves) {
  Block first = crypto::kGfOne;
  for (std::size_t i = 0; i < kTree.leaves; ++i) first = gf_multiply(first, point);
  return gf_multiply(first, power_sum(point, leaves));
}

Block sum_of(std::span<const Block> values) {
  Block sum;
  for (const Block value : values) sum ^= value;
  return sum;
}

/// All that one instance is made of.
struct Instance {
  std::vector<Block> noise;                             // c_i
  std::vector<std::size_t> positions;                   // of each tree
  std::vector<std::vector<std::array<Block, 2>>> pads;  // of each level of each tree, both sides
  std::vector<Block> roots;
  std::vector<std::vector<Block>> leaves;  // B
  std::vector<Block> b;                    // W, packed
  Block noise_mask, answer_mask;           // c_t, b_t
  Block challenge;
};

struct Model {
  Block delta;
  std::vector<Block> input;                  // u
  std::vector<std::vector<Block>> v, t1, w;  // columns
  std::vector<Instance> instances;
};

std::vector<Block> column_of(const BaseKey& key) {
  std::vector<Block> column(kPlan.extension_blocks());
  Drbg(key, kSession, "parley/v1/vole/column").fill(0, crypto::mutable_bytes_of(column));
  return column;
}

Block packed(const std::vector<std::vector<Block>>& columns, std::size_t i) {
  constexpr Block kX{2, 0};
  Block sum;
  for (std::size_t j = kColumns; j-- > 0;) sum = gf_multiply(sum, kX) ^ columns[j][i];
  return sum;
}

Block row_of(const std::vector<std::vector<Block>>& columns, std::size_t i, std::size_t row) {
  Block bits;
  for (std::size_t j = 0; j < kColumns; ++j) (j < 64 ? bits.low : bits.high) |= bit_of(columns[j][i], row) << (j % 64);
  return bits;
}

Block pad_of(std::size_t instance, std::size_t index, std::size_t side, Block row) {
  Bytes message = to_bytes(crypto::sha512(labelled("parley/v1/vole/pad")));
  append_be(message, static_cast<std::uint32_t>(instance));
  append_be(message, static_cast<std::uint32_t>(index));
  append_be(message, static_cast<std::uint8_t>(side));
  append(message, crypto::bytes_of({&row, 1}));
  return crypto::load_block(crypto::sha256(message));
}

/// The nodes of a level from those of the level before.
std::vector<Block> children_of(std::span<const Block> parents, std::size_t count) {
  const crypto::Digest512 keys = crypto::sha512(labelled("parley/v1/vole/tree"));
  const crypto::FixedKeyAes sides[2] = {crypto::FixedKeyAes(std::span(keys).first<16>()),
                                        crypto::FixedKeyAes(std::span(keys).subspan<16, 16>())};
  std::vector<Block> children(count);
  for (std::size_t i = 0; i < count; ++i)
    sides[i % 2].hash(parents.subspan(i / 2, 1), std::span(children).subspan(i, 1));
  return children;
}

/// Nodes of each level below the root; a node is made where it or its sibling has a leaf below it.
std::vector<std::vector<Block>> tree_of(Block root) {
  std::vector<std::vector<Block>> levels{{root}};
  for (std::size_t level = 1; level <= kTree.depth; ++level) {
    const std::size_t span = std::size_t{1} << (kTree.depth - level + 1);  // leaves below a parent
    const std::size_t parents = (kTree.leaves + span - 1) / span;
    levels.push_back(children_of(std::span(levels.back()).first(parents), 2 * parents));
  }
  levels.back().resize(kTree.leaves);
  return levels;
}

/// The sum that stands at the end of a tree's part: leaves, and nodes that nothing grows from.
Block leaves_and_stubs(const std::vector<std::vector<Block>>& levels) {
  Block sum = sum_of(levels.back());
  for (std::size_t level = 1; level < kTree.depth; ++level)
    for (std::size_t i = levels[level + 1].size() / 2 + levels[level + 1].size() % 2; i < levels[level].size(); ++i)
      sum ^= levels[level][i];
  return sum;
}

void take_in(Model& model, std::size_t n) {
  Instance& instance = model.instances[n];
  const Sizes& sizes = kPlan.sizes;
  const std::size_t first = n * sizes.extension_blocks();
  instance.noise.assign(model.input.begin() + static_cast<std::ptrdiff_t>(first),
                        model.input.begin() + static_cast<std::ptrdiff_t>(first + kNoiseWeight));
  for (std::size_t i = 0; i < kNoiseWeight; ++i) {
    instance.b.push_back(packed(model.w, first + i));
    instance.leaves.push_back(tree_of(instance.roots[i]).back());
    instance.pads.emplace_back();
    for (std::size_t level = 0; level < kTree.depth; ++level) {
      const std::size_t index = i * kTree.depth + level;
      const Block row = row_of(model.w, first + kNoiseWeight + 1 + index / 128, index % 128);
      instance.pads.back().push_back({pad_of(n, index, 0, row), pad_of(n, index, 1, row ^ model.delta)});
    }
  }
  instance.noise_mask = model.input[first + kNoiseWeight];
  instance.answer_mask = packed(model.w, first + kNoiseWeight);
}

/// From the seeds of both sides; of the messages it takes those of the base transfers alone.
Model make_model() {
  Model model;
  const Sizes& sizes = kPlan.sizes;
  model.delta = stream(sender_seed(), "vole/delta", 1)[0];
  model.input = stream(receiver_seed(), "vole/input", kPlan.extension_blocks());
  const std::vector<Block> uniform = stream(receiver_seed(), "vole/positions", kInstances * kNoiseWeight);
  const std::vector<Block> roots = stream(sender_seed(), "vole/roots", kInstances * kNoiseWeight);
  const std::vector<Block> challenges = stream(receiver_seed(), "vole/tree-challenge", kInstances * 4);
  model.instances.resize(kInstances);
  for (std::size_t n = 0; n < kInstances; ++n) {
    Instance& instance = model.instances[n];
    instance.challenge = challenges[4 * n];
    for (std::size_t i = 0; i < kNoiseWeight; ++i) {
      const Block value = uniform[n * kNoiseWeight + i];
      // Of so few leaves the upper half decides, but for 2^-57.
      instance.positions.push_back(
          static_cast<std::size_t>((static_cast<unsigned __int128>(value.high) * kTree.leaves) >> 64));
      instance.roots.push_back(roots[n * kNoiseWeight + i]);
      for (std::size_t level = 0; level < kTree.depth; ++level) {
        const std::size_t index = i * kTree.depth + level;
        Block& choices = model.input[n * sizes.extension_blocks() + kNoiseWeight + 1 + index / 128];
        std::uint64_t& word = index % 128 < 64 ? choices.low : choices.high;
        const std::uint64_t sibling = 1 - ((instance.positions.back() >> (kTree.depth - 1 - level)) & 1);
        word = (word & ~(std::uint64_t{1} << index % 64)) | (sibling << index % 64);
      }
    }
  }
  const BaseOtSender base(kSession, Drbg(receiver_seed(), kSession, "vole/base-ot"));
  const auto keys = base.keys(recorded().sender_hello);
  for (std::size_t j = 0; j < kColumns; ++j) {
    model.v.push_back(column_of((*keys)[j][0]));
    model.t1.push_back(column_of((*keys)[j][1]));
    model.w.push_back(model.v.back());
    if (bit_of(model.delta, j) == 1)
      for (std::size_t i = 0; i < model.input.size(); ++i) model.w.back()[i] ^= model.input[i];
  }
  for (std::size_t n = 0; n < kInstances; ++n) take_in(model, n);
  return model;
}

const Model& model() {
  static const Model model = make_model();
  return model;
}

/// Of instance n: A or C before the code, tree after tree.
std::vector<Block> noise_vector(std::size_t n) {
  std::vector<Block> noise(kPlan.sizes.inputs);
  const Instance& instance = model().instances[n];
  for (std::size_t i = 0; i < kNoiseWeight; ++i) noise[i * kTree.leaves + instance.positions[i]] = instance.noise[i];
  return noise;
}

std::vector<Block> grown_vector(std::size_t n) {
  std::vector<Block> grown;
  for (const auto& leaves : model().instances[n].leaves) grown.insert(grown.end(), leaves.begin(), leaves.end());
  return grown;
}

std::vector<Block> coded(std::vector<Block> inputs, std::size_t n) {
  Bytes seed = labelled("parley/v1/vole/code");
  append(seed, recorded().receiver_hello);
  append_be(seed, static_cast<std::uint32_t>(n));
  const Code code(crypto::sha256(seed), kPlan.sizes.outputs, kPlan.sizes.inputs);
  std::vector<Block> outputs(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(kPlan.sizes.outputs));
  const std::span<Block> rest = std::span(inputs).subspan(kPlan.sizes.outputs);
  code.accumulate(rest);
  code.expand(rest, 0, outputs);
  return outputs;
}

// --- what is sent is what the model says ----------------------------------------------------------------------------

// u stands in the correction: what a receiver enters, in all columns alike.
TEST(VoleInstances, EnterNoiseChoiceBitsAndMasksOfTheirOwn) {
  ASSERT_EQ(recorded().correction.size(), kColumns * kPlan.extension_blocks() * kBlockBytes);
  std::set<std::string> seen;
  for (std::size_t i = 0; i < kPlan.extension_blocks(); ++i) {
    for (std::size_t j = 0; j < kColumns; ++j) {
      const Block entered =
          block_at(recorded().correction, j * kPlan.extension_blocks() + i) ^ model().v[j][i] ^ model().t1[j][i];
      ASSERT_EQ(hex(entered), hex(model().input[i])) << "block " << i << " of column " << j;
    }
    EXPECT_TRUE(seen.insert(hex(model().input[i])).second) << "block " << i << " was there before";
  }
  std::size_t alike = 0;
  for (std::size_t i = 0; i < kNoiseWeight; ++i)
    alike += model().instances[0].positions[i] == model().instances[1].positions[i] ? 1 : 0;
  EXPECT_LE(alike, 20u);  // 3.7 by chance
}

TEST(VoleInstances, AnswerTheCheckOfColumnsUnderAMaskOutsideOfThemAll) {
  const Block challenge = crypto::load_block(recorded().challenge);
  EXPECT_EQ(hex(challenge), hex(stream(sender_seed(), "vole/challenge", 1)[0]));
  const std::size_t mask = kPlan.extension_blocks() - 1;
  ASSERT_EQ(mask, kInstances * kPlan.sizes.extension_blocks());
  ASSERT_EQ(recorded().response.size(), kResponseBytes);
  const auto hash_of = [&](std::span<const Block> column) {
    return power_sum(challenge, column.first(mask)) ^ column[mask];
  };
  EXPECT_EQ(hex(block_at(recorded().response, 0)), hex(hash_of(model().input)));
  for (std::size_t j = 0; j < kColumns; ++j)
    EXPECT_EQ(hex(block_at(recorded().response, 1 + j)), hex(hash_of(model().v[j]))) << j;
}

// The sums below the root are its children. Roots that are used twice would show the same blocks under other pads.
TEST(VoleInstances, GrowTreesFromRootsOfTheirOwnUnderPadsAndCorrelationsOfTheirOwn) {
  std::set<std::string> roots, pads, correlations;
  for (std::size_t n = 0; n < kInstances; ++n) {
    const Instance& instance = model().instances[n];
    const Bytes& sent = recorded().trees.at(n);
    ASSERT_EQ(sent.size(), kNoiseWeight * (2 * kTree.depth + 1) * kBlockBytes);
    for (std::size_t i = 0; i < kNoiseWeight; ++i) {
      const auto levels = tree_of(instance.roots[i]);
      const std::size_t first = i * (2 * kTree.depth + 1);
      for (std::size_t level = 0; level < kTree.depth; ++level) {
        for (std::size_t side = 0; side < 2; ++side) {
          Block sum;
          for (std::size_t node = side; node < levels[level + 1].size(); node += 2) sum ^= levels[level + 1][node];
          const Block pad = instance.pads[i][level][side];
          ASSERT_EQ(hex(block_at(sent, first + 2 * level + side)), hex(sum ^ pad))
              << "instance " << n << ", tree " << i << ", level " << level << ", side " << side;
          EXPECT_TRUE(pads.insert(hex(pad)).second);
        }
      }
      ASSERT_EQ(hex(block_at(sent, first + 2 * kTree.depth)), hex(leaves_and_stubs(levels) ^ instance.b[i]))
          << "instance " << n << ", tree " << i;
      EXPECT_TRUE(correlations.insert(hex(instance.b[i])).second);
      EXPECT_TRUE(roots.insert(hex(instance.roots[i])).second);
    }
  }
}

TEST(VoleInstances, AskWithChallengesOfTheirOwnUnderMasksOfTheirOwn) {
  EXPECT_FALSE(equal(model().instances[0].challenge, model().instances[1].challenge));
  EXPECT_FALSE(equal(model().instances[0].noise_mask, model().instances[1].noise_mask));
  for (std::size_t n = 0; n < kInstances; ++n) {
    const Instance& instance = model().instances[n];
    const Bytes& question = recorded().tree_challenge.at(n);
    ASSERT_EQ(question.size(), 2 * kBlockBytes);
    EXPECT_EQ(hex(block_at(question, 0)), hex(instance.challenge)) << n;
    EXPECT_EQ(hex(block_at(question, 1)), hex(combined(instance.challenge, noise_vector(n)) ^ instance.noise_mask))
        << n;
  }
}

TEST(VoleInstances, AnswerWithHashesOfTheirOwnUnderMasksOfTheirOwn) {
  EXPECT_FALSE(equal(model().instances[0].answer_mask, model().instances[1].answer_mask));
  for (std::size_t n = 0; n < kInstances; ++n) {
    const Instance& instance = model().instances[n];
    const Block asked = block_at(recorded().tree_challenge.at(n), 1);
    const Block value =
        combined(instance.challenge, grown_vector(n)) ^ instance.answer_mask ^ gf_multiply(model().delta, asked);
    Bytes hashed = labelled("parley/v1/vole/tree-check");
    append_be(hashed, static_cast<std::uint32_t>(n));
    append(hashed, crypto::bytes_of({&value, 1}));
    EXPECT_EQ(to_hex(recorded().tree_response.at(n)), to_hex(crypto::sha256(hashed))) << n;
  }
}

TEST(VoleInstances, GiveWhatTheirOwnCodeMakesOfTheirOwnNoise) {
  for (std::size_t n = 0; n < kInstances; ++n) {
    const std::vector<Block> c = coded(noise_vector(n), n), b = coded(grown_vector(n), n);
    EXPECT_TRUE(std::ranges::equal(recorded().c.at(n), c, equal)) << n;
    EXPECT_TRUE(std::ranges::equal(recorded().b.at(n), b, equal)) << n;
    for (std::size_t i = 0; i < kPlan.sizes.outputs; ++i)
      ASSERT_TRUE(equal(recorded().a.at(n)[i], b[i] ^ gf_multiply(model().delta, c[i]))) << n << ", " << i;
    EXPECT_FALSE(std::ranges::equal(c, coded(noise_vector(n), 1 - n), equal)) << "both instances have the same code";
  }
}

// As FastProtocol's transcript, whose run has one instance.
TEST(VoleInstances, SendTheSameBytesOnEveryKindOfProcessorAndInEveryVersion) {
  for (const auto level :
       {crypto::CpuLevel::portable, crypto::CpuLevel::aesni, crypto::CpuLevel::vaes, crypto::CpuLevel::avx512}) {
    crypto::limit_cpu_level(level);
    EXPECT_EQ(to_hex(record().digest()), kFrozenRun) << static_cast<int>(level);
  }
}

}  // namespace
}  // namespace parley::psi::vole
