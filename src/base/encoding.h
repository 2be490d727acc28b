// Hexadecimal, base64 and Crockford base32 as text forms of bytes. Decoders take the canonical form only.
#pragma once

#include <optional>

#include "base/bytes.h"

namespace parley {

/// Lower case.
std::string to_hex(ByteView bytes);
/// Lower case only, even length; anything else is nothing.
std::optional<Bytes> from_hex(std::string_view text);
/// Into all of `bytes`; on anything but twice as many digits, in lower case, what they hold is not defined.
/// @return whether the text is of that form
[[nodiscard]] bool read_hex(std::string_view text, std::span<std::byte> bytes);

/// RFC 4648 section 4, padded.
std::string to_base64(ByteView bytes);
/// RFC 4648 section 4, padded, canonical (unused bits zero); anything else is nothing.
std::optional<Bytes> from_base64(std::string_view text);

/// RFC 4648 section 5 without padding, for one-line cards and invitations.
std::string to_base64url(ByteView bytes);
std::optional<Bytes> from_base64url(std::string_view text);

/// Crockford base32, lower case, no check symbol. Precondition: bytes.size() is a multiple of 5.
std::string to_base32_crockford(ByteView bytes);

}  // namespace parley
