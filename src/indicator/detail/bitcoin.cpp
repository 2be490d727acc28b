// Bitcoin addresses with their checksums: Base58Check (version bytes of the main network), bech32 (BIP 173) and
// bech32m (BIP 350).
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/text.h"
#include "indicator/detail/unicode.h"
#include "indicator/detail/values.h"

namespace parley::indicator::detail {
namespace {

constexpr std::string_view kBase58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view kBech32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::string_view kHumanPart = "bc";           // BIP 173: the main network
constexpr std::size_t kBech32Longest = 90;              // BIP 173
constexpr std::size_t kChecksumSymbols = 6;             // BIP 173
constexpr std::uint32_t kBech32Constant = 1;            // BIP 173, witness version 0
constexpr std::uint32_t kBech32mConstant = 0x2bc830a3;  // BIP 350, later versions

bool is_base58check(std::string_view text) {
  constexpr std::size_t kShortest = 26;
  constexpr std::size_t kLongest = 35;
  if (text.size() < kShortest || text.size() > kLongest) return false;
  std::array<std::uint8_t, 25> bytes{};  // version, 20 bytes of hash, 4 of checksum
  std::size_t leading_ones = 0;
  while (leading_ones < text.size() && text[leading_ones] == '1') ++leading_ones;
  for (const char c : text) {
    const std::size_t digit = kBase58.find(c);
    if (digit == std::string_view::npos) return false;
    std::size_t carry = digit;
    for (std::size_t i = bytes.size(); i-- > 0;) {
      carry += 58u * bytes[i];
      bytes[i] = static_cast<std::uint8_t>(carry & 0xff);
      carry >>= 8;
    }
    if (carry != 0) return false;
  }
  const auto leading_zeros = std::ranges::find_if(bytes, [](std::uint8_t b) { return b != 0; }) - bytes.begin();
  if (static_cast<std::size_t>(leading_zeros) != leading_ones) return false;
  if (bytes[0] != 0x00 && bytes[0] != 0x05) return false;  // P2PKH, P2SH
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), bytes.data(), 21);
  crypto_hash_sha256(digest.data(), digest.data(), digest.size());
  return std::equal(bytes.begin() + 21, bytes.end(), digest.begin());
}

/// BIP 173, "Checksum".
std::uint32_t polymod(const std::vector<std::uint8_t>& values) {
  constexpr std::array<std::uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
  std::uint32_t checksum = 1;
  for (const std::uint8_t value : values) {
    const std::uint32_t top = checksum >> 25;
    checksum = ((checksum & 0x1ffffff) << 5) ^ value;
    for (std::size_t i = 0; i < kGenerator.size(); ++i) {
      if (((top >> i) & 1) != 0) checksum ^= kGenerator[i];
    }
  }
  return checksum;
}

/// The witness program of BIP 141: 5-bit symbols regrouped into bytes, padding zero and shorter than a symbol.
bool is_witness_program(const std::vector<std::uint8_t>& symbols, std::uint8_t version) {
  std::uint32_t pending = 0;
  std::size_t bits = 0;
  std::size_t bytes = 0;
  for (const std::uint8_t symbol : symbols) {
    pending = ((pending << 5) | symbol) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      ++bytes;
    }
  }
  if (bits >= 5 || (pending & ((1u << bits) - 1)) != 0) return false;
  if (version == 0) return bytes == 20 || bytes == 32;
  return version <= 16 && bytes >= 2 && bytes <= 40;
}

bool is_segwit_address(std::string_view lowered) {
  const std::size_t head = kHumanPart.size() + 1;
  if (lowered.size() > kBech32Longest || lowered.size() < head + 1 + kChecksumSymbols) return false;
  if (!lowered.starts_with(kHumanPart) || lowered[kHumanPart.size()] != '1') return false;
  std::vector<std::uint8_t> symbols;
  for (const char c : lowered.substr(head)) {
    const std::size_t symbol = kBech32.find(c);
    if (symbol == std::string_view::npos) return false;
    symbols.push_back(static_cast<std::uint8_t>(symbol));
  }
  std::vector<std::uint8_t> checked;
  for (const char c : kHumanPart) checked.push_back(static_cast<std::uint8_t>(c >> 5));
  checked.push_back(0);
  for (const char c : kHumanPart) checked.push_back(static_cast<std::uint8_t>(c & 31));
  checked.insert(checked.end(), symbols.begin(), symbols.end());
  const std::uint8_t version = symbols.front();
  if (polymod(checked) != (version == 0 ? kBech32Constant : kBech32mConstant)) return false;
  symbols.resize(symbols.size() - kChecksumSymbols);
  symbols.erase(symbols.begin());
  return is_witness_program(symbols, version);
}

}  // namespace

Result<std::string> canonical_btc(std::string_view text) {
  if (starts_with_fold(text, "bitcoin:")) {  // BIP 21
    text.remove_prefix(8);
    text = text.substr(0, text.find('?'));
  }
  if (is_base58check(text)) return std::string(text);
  const std::string lowered = ascii_lower(text);
  const bool one_case = lowered == text || ascii_upper(text) == text;  // BIP 173 refuses mixed case
  if (one_case && is_segwit_address(lowered)) return lowered;
  return fail(Errc::format,
              fmt::format("{} is no Bitcoin address of the main network: its form or its checksum is wrong",
                          visible(text.substr(0, 80))));
}

}  // namespace parley::indicator::detail
