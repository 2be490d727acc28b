// Base64 by tables. libsodium's takes the same time for every content, which a third of a simulation would go to; what
// is encoded here are public signatures and hashes, and what is not canonical goes the ordinary way. In tests only.
#include <dlfcn.h>
#include <sodium.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoLetter = 0xff;
constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoLetter);
  for (std::size_t i = 0; i < kLetters.size(); ++i)
    values[static_cast<unsigned char>(kLetters[i])] = static_cast<std::uint8_t>(i);
  return values;
}();

template <typename Function>
Function* original(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// Decodes canonical text with padding; false if it is none, or is longer than `most` bytes.
bool decode(std::string_view text, unsigned char* out, std::size_t most, std::size_t& size) {
  if (text.size() % 4 != 0 || text.size() / 4 * 3 > most) return false;
  size = 0;
  for (std::size_t at = 0; at < text.size(); at += 4) {
    const bool is_last = at + 4 == text.size();
    const std::size_t padding = !is_last ? 0 : text.substr(at + 2) == "==" ? 2 : text[at + 3] == '=' ? 1 : 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4 - padding; ++i) {
      const std::uint8_t letter = kValues[static_cast<unsigned char>(text[at + i])];
      if (letter == kNoLetter) return false;
      value |= static_cast<std::uint32_t>(letter) << (18 - 6 * i);
    }
    if ((value & ((1u << (8 * padding)) - 1)) != 0) return false;
    for (std::size_t i = 0; i < 3 - padding; ++i) out[size++] = static_cast<unsigned char>(value >> (16 - 8 * i));
  }
  return true;
}

}  // namespace

extern "C" int sodium_base642bin(unsigned char* bin, std::size_t bin_most, const char* text, std::size_t text_size,
                                 const char* ignore, std::size_t* bin_size, const char** end, int variant) {
  static auto* const decode_anything = original<decltype(sodium_base642bin)>("sodium_base642bin");
  std::size_t size = 0;
  if (variant != sodium_base64_VARIANT_ORIGINAL || ignore != nullptr || bin_size == nullptr || end == nullptr ||
      !decode({text, text_size}, bin, bin_most, size))
    return decode_anything(bin, bin_most, text, text_size, ignore, bin_size, end, variant);
  *bin_size = size;
  *end = text + text_size;
  return 0;
}

extern "C" char* sodium_bin2base64(char* text, std::size_t text_most, const unsigned char* bin, std::size_t bin_size,
                                   int variant) {
  static auto* const encode_anything = original<decltype(sodium_bin2base64)>("sodium_bin2base64");
  const std::size_t size = (bin_size + 2) / 3 * 4;
  if (variant != sodium_base64_VARIANT_ORIGINAL || text_most < size + 1)
    return encode_anything(text, text_most, bin, bin_size, variant);
  std::size_t put = 0;
  for (std::size_t at = 0; at < bin_size; at += 3) {
    const std::size_t some = bin_size - at < 3 ? bin_size - at : 3;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < some; ++i) value |= static_cast<std::uint32_t>(bin[at + i]) << (16 - 8 * i);
    for (std::size_t i = 0; i < 4; ++i) text[put++] = i <= some ? kLetters[(value >> (18 - 6 * i)) & 63] : '=';
  }
  std::memset(text + put, 0, text_most - put);
  return text;
}
