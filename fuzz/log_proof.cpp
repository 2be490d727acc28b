// Proofs from any bytes: the text of c2sp.org/tlog-proof, the proofs of RFC 6962, tiles' paths, bundles and edges.
#include "check.h"
#include "log/frontier.h"
#include "log/tile.h"
#include "log/tlog_proof.h"

namespace {

using namespace parley;

/// u64be index or old size, u64be size, two roots, then the proof.
void try_tree_proofs(ByteView bytes) {
  constexpr std::size_t kHead = 16 + 64;
  if (bytes.size() < kHead) return;
  const auto first = read_be<std::uint64_t>(bytes);
  const auto second = read_be<std::uint64_t>(bytes.subspan(8));
  const auto digest_at = [&](std::size_t at) {
    Digest digest;
    std::memcpy(digest.data(), &bytes[at], digest.size());
    return digest;
  };
  const Digest one = digest_at(16), other = digest_at(48);
  std::vector<Digest> proof;
  for (std::size_t at = kHead; at + 32 <= bytes.size(); at += 32) proof.push_back(digest_at(at));
  if (const auto root = log::root_of_inclusion(one, first, second, proof)) {
    check(proof.size() <= log::kMaxProofHashes);
    check(log::verify_inclusion(one, first, second, proof, *root));
  }
  if (log::verify_consistency(first, one, second, other, proof)) check(first <= second);
  if (const auto root = log::verify_prefix(first, second, other, proof)) check(first < second);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz_text(data, size);
  const ByteView bytes = fuzz_bytes(data, size);
  if (const auto proof = log::parse_tlog_proof(text)) {
    check(log::write_tlog_proof(*proof) == text);
    const std::string_view origin = std::string_view(proof->checkpoint).substr(0, proof->checkpoint.find('\n'));
    log::Policy policy;
    policy.logs.push_back({log::vkey_of(origin, log::KeyType::ed25519, fixed_seed(1)), {}});
    policy.quorum = "none";
    (void)log::verify_tlog_proof(*proof, as_bytes("leaf"), policy);
  }
  if (const auto file = log::parse_log_path(text)) check(log::path_of(*file) == text);
  if (const auto frontier = log::Frontier::parse(bytes)) {
    check(as_text(frontier->serialise()) == text);
    (void)frontier->root();
  }
  for (const std::size_t width : {0u, 1u, 3u, 256u}) {
    if (const auto entries = log::parse_bundle(bytes, width)) check(as_text(log::make_bundle(*entries)) == text);
  }
  try_tree_proofs(bytes);
  return 0;
}
