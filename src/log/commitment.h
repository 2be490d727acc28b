// Salted commitments to items, context fields and bodies (log.md 2.3, 3.3, 5.1; vectors in tests/vectors/log).
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace parley::log {

using Salt = ByteArray<32>;

/// SHA-256("parley/item/v1\0" || salt || u16be len(type) || type || u32be len(value) || value), log.md 3.3.
Digest item_commitment(const Salt& salt, std::string_view type, ByteView value);

/// SHA-256("parley/field/v1\0" || salt || u16be len(path) || path || u32be len(json) || json), log.md 5.1.
Digest field_commitment(const Salt& salt, std::string_view path, std::string_view json);

/// SHA-256("parley/body/v1\0" || salt || u32be len(body) || body), log.md 2.3.
Digest body_commitment(const Salt& salt, ByteView body);

/// SHA-256("parley/input/v1\0" || session || side): stands before each leaf of what one side of a session commits to,
/// so that nobody passes the other side's commitment off as its own (docs/wire-format.md, "Commitments").
/// @param session  its 32 hexadecimal digits
/// @param side     0 who asked, 1 who answered
Digest input_label(std::string_view session, std::uint8_t side);

/// The leaf hash (RFC 6962) of an item: of label || item.
/// @param label  input_label() of the side whose item it is. @param item  item_commitment()
Digest item_leaf(const Digest& label, const Digest& item);

/// The leaf hash (RFC 6962) of an item's context: of label || item || root of the tree of its fields' commitments.
/// @param label  input_label() of the side whose item it is. @param item  item_commitment()
Digest context_leaf(const Digest& label, const Digest& item, const Digest& fields_root);

}  // namespace parley::log
