// Labels in the vault (labels.h).
// Case folding: the simple one-to-one pairs of Unicode's CaseFolding.txt in the blocks named below.
#include "vault/detail/labels.h"

#include <algorithm>

namespace parley::vault::detail {
namespace {

/// The small letter of a two-byte UTF-8 code point (U+0080 to U+07FF).
std::uint32_t fold_code_point(std::uint32_t c) {
  if (c >= 0xc0 && c <= 0xde && c != 0xd7) return c + 0x20;  // Latin-1
  if (c == 0x178) return 0xff;
  if (c >= 0x100 && c <= 0x17e && c != 0x130 && c != 0x131 && c != 0x138 && c != 0x149) {  // Latin Extended-A
    const bool capitals_are_odd = (c >= 0x139 && c <= 0x148) || c >= 0x179;
    return (c % 2 == 1) == capitals_are_odd ? c + 1 : c;
  }
  if (c >= 0x391 && c <= 0x3ab && c != 0x3a2) return c + 0x20;  // Greek
  if (c >= 0x400 && c <= 0x40f) return c + 0x50;                // Cyrillic
  if (c >= 0x410 && c <= 0x42f) return c + 0x20;
  if ((c >= 0x460 && c <= 0x481) || (c >= 0x48a && c <= 0x4bf) || (c >= 0x4d0 && c <= 0x52f)) return c | 1;
  return c;
}

constexpr std::size_t kLongestVarintBytes = 9;  // 63 bits

}  // namespace

std::string fold_case(std::string_view text) {
  std::string folded(text);
  for (std::size_t i = 0; i < folded.size(); ++i) {
    const auto lead = static_cast<unsigned char>(folded[i]);
    if (lead >= 'A' && lead <= 'Z') folded[i] = static_cast<char>(lead + 0x20);
    if (lead < 0xc2 || lead > 0xdf || i + 1 == folded.size()) continue;
    const auto tail = static_cast<unsigned char>(folded[i + 1]);
    if ((tail & 0xc0) != 0x80) continue;
    const std::uint32_t c = fold_code_point((lead & 0x1fU) << 6 | (tail & 0x3fU));
    folded[i] = static_cast<char>(0xc0U | c >> 6);
    folded[++i] = static_cast<char>(0x80U | (c & 0x3fU));
  }
  return folded;
}

Bytes encode_label_ids(std::span<const std::int64_t> ids) {
  Bytes encoded;
  for (const std::int64_t id : ids) {
    auto rest = static_cast<std::uint64_t>(id);
    for (; rest >= 0x80; rest >>= 7) encoded.push_back(static_cast<std::byte>(rest | 0x80));
    encoded.push_back(static_cast<std::byte>(rest));
  }
  return encoded;
}

std::vector<std::int64_t> decode_label_ids(ByteView encoded) {
  std::vector<std::int64_t> ids;
  std::uint64_t id = 0;
  std::size_t length = 0;
  for (const std::byte b : encoded) {
    if (length >= kLongestVarintBytes) break;
    id |= (std::to_integer<std::uint64_t>(b) & 0x7f) << (7 * length++);
    if ((b & std::byte{0x80}) != std::byte{0}) continue;
    ids.push_back(static_cast<std::int64_t>(id));
    id = 0;
    length = 0;
  }
  return ids;
}

Result<LabelTable> LabelTable::make(Connection& connection) {
  TRY(Statement find, connection.prepare("SELECT id FROM labels WHERE kind=?1 AND name=?2"));
  TRY(Statement add, connection.prepare("INSERT INTO labels(kind, name, folded) VALUES(?1, ?2, ?3)"));
  TRY(Statement name, connection.prepare("SELECT kind, name FROM labels WHERE id=?1"));
  LabelTable table(std::move(find), std::move(add), std::move(name));
  table.connection_ = &connection;
  return table;
}

Result<std::int64_t> LabelTable::id_of(const indicator::Label& label) {
  if (const auto known = ids_.find(label); known != ids_.end()) return known->second;
  find_.bind(1, static_cast<std::int64_t>(label.kind)).bind(2, std::string_view(label.name));
  TRY(const bool found, find_.step());
  std::int64_t id = 0;
  if (found) {
    id = find_.integer(0);
    find_.reset();
  } else {
    const std::string folded = fold_case(label.name);
    add_.bind(1, static_cast<std::int64_t>(label.kind))
        .bind(2, std::string_view(label.name))
        .bind(3, std::string_view(folded));
    TRY_STATUS(add_.run());
    id = connection_->last_row();
  }
  if (ids_.size() >= kCacheLimit) ids_.clear();
  ids_.emplace(label, id);
  return id;
}

Result<indicator::Label> LabelTable::label_of(std::int64_t id) {
  if (const auto known = labels_.find(id); known != labels_.end()) return known->second;
  TRY(const bool found, name_.bind(1, id).step());
  if (!found) return fail(Errc::vault_damaged, "The vault names a label that it does not hold.");
  indicator::Label label{static_cast<indicator::LabelKind>(name_.integer(0)), std::string(name_.text(1))};
  name_.reset();
  if (labels_.size() >= kCacheLimit) labels_.clear();
  labels_.emplace(id, label);
  return label;
}

Result<std::vector<indicator::Label>> LabelTable::labels_of(ByteView encoded_ids) {
  std::vector<indicator::Label> labels;
  for (const std::int64_t id : decode_label_ids(encoded_ids)) {
    TRY(indicator::Label label, label_of(id));
    labels.push_back(std::move(label));
  }
  std::ranges::sort(labels);
  return labels;
}

Result<std::vector<std::int64_t>> label_ids_named(Connection& connection, std::string_view name) {
  TRY(Statement find, connection.prepare("SELECT id FROM labels WHERE folded=?1 ORDER BY id"));
  const std::string folded = fold_case(name);
  find.bind(1, std::string_view(folded));
  std::vector<std::int64_t> ids;
  for (;;) {
    TRY(const bool row, find.step());
    if (!row) return ids;
    ids.push_back(find.integer(0));
  }
}

}  // namespace parley::vault::detail
