#include "log/tlog_proof.h"

#include <fmt/format.h>

#include <cassert>
#include <charconv>
#include <optional>

#include "base/encoding.h"

namespace parley::log {
namespace {

constexpr std::string_view kFirstLine = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";

std::unexpected<Error> malformed(std::string_view why) {
  return fail(Errc::format, fmt::format("Not a proof of inclusion: {}.", why));
}

Result<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == text.npos) return malformed("it ends too early");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::optional<std::uint64_t> read_index(std::string_view digits) {
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (error != std::errc() || end != digits.data() + digits.size() || index >= kMaxTreeSize) return std::nullopt;
  if (digits[0] == '0' && digits.size() > 1) return std::nullopt;
  return index;
}

Result<std::vector<Digest>> take_path(std::string_view& text) {
  std::vector<Digest> path;
  while (true) {
    TRY(const std::string_view line, take_line(text));
    if (line.empty()) return path;
    if (path.size() == kMaxProofHashes) return fail(Errc::limit, "A proof of inclusion of more than 64 hashes.");
    const auto hash = line.size() <= 2 * sizeof(Digest) ? from_base64(line) : std::nullopt;
    if (!hash || hash->size() != sizeof(Digest)) return malformed("a line of its path is no hash in base64");
    std::memcpy(path.emplace_back().data(), hash->data(), sizeof(Digest));
  }
}

}  // namespace

std::string write_tlog_proof(const TlogProof& proof) {
  assert(proof.path.size() <= kMaxProofHashes && parse_note(proof.checkpoint));
  std::string out = fmt::format("{}\n", kFirstLine);
  if (!proof.extra.empty()) out += fmt::format("{}{}\n", kExtra, to_base64(proof.extra));
  out += fmt::format("{}{}\n", kIndex, proof.index);
  for (const Digest& hash : proof.path) out += to_base64(hash) + "\n";
  return out + "\n" + proof.checkpoint;
}

Result<TlogProof> parse_tlog_proof(std::string_view text) {
  if (text.size() > kMaxTlogProofBytes) {
    return fail(Errc::limit, fmt::format("A proof of inclusion of {} bytes is longer than its limit of {}.",
                                         text.size(), kMaxTlogProofBytes));
  }
  TRY(const std::string_view first, take_line(text));
  if (first != kFirstLine) return malformed(fmt::format("its first line must be {}", kFirstLine));
  TlogProof proof;
  TRY(std::string_view line, take_line(text));
  if (line.starts_with(kExtra)) {
    auto extra = from_base64(line.substr(kExtra.size()));
    if (!extra || extra->empty()) return malformed("what it carries beside the proof is not in base64");
    proof.extra = std::move(*extra);
    TRY(line, take_line(text));
  }
  const auto index = line.starts_with(kIndex) ? read_index(line.substr(kIndex.size())) : std::nullopt;
  if (!index) return malformed("the index of the entry is due, a decimal number below 2^53");
  proof.index = *index;
  TRY(proof.path, take_path(text));
  if (text.size() > kMaxCheckpointBytes) return fail(Errc::limit, "A proof of inclusion has too long a checkpoint.");
  TRY(const Note note, parse_note(text));
  TRY_STATUS(parse_checkpoint(note.text));
  proof.checkpoint = text;
  return proof;
}

Result<TrustedCheckpoint> verify_tlog_proof(const TlogProof& proof, ByteView leaf, const Policy& policy) {
  TRY(TrustedCheckpoint trusted, verify_checkpoint(proof.checkpoint, policy));
  const Checkpoint& checkpoint = trusted.checkpoint;
  if (!verify_inclusion(leaf_hash(leaf), proof.index, checkpoint.size, proof.path, checkpoint.root)) {
    return fail(Errc::protocol, fmt::format("The proof does not show this entry at index {} of the tree of {} entries.",
                                            proof.index, checkpoint.size));
  }
  return trusted;
}

}  // namespace parley::log
