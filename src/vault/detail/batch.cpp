// The records of an import that wait to be stored (batch.h).
// A record is a fixed head, then the value, then the label ids.
#include "vault/detail/batch.h"

#include <algorithm>

namespace parley::vault::detail {
namespace {

// A million addresses of one feed fit into one batch: 56 bytes of head and at most 15 of value each.
constexpr std::size_t kBatchBytes = std::size_t{80} << 20;
constexpr std::size_t kBatchRecords = std::size_t{1} << 20;

enum Present : std::uint8_t { kFirstSeen = 1, kLastSeen = 2, kConfidence = 4, kTlp = 8, kPap = 16 };

std::uint64_t key_of(indicator::Type type, std::string_view value) {
  std::uint64_t key = static_cast<std::uint64_t>(type);
  for (std::size_t i = 0; i < 7; ++i) key = key << 8 | (i < value.size() ? static_cast<unsigned char>(value[i]) : 0U);
  return key;
}

template <typename Value>
std::uint8_t mark_present(const std::optional<Value>& value, Present bit) {
  return value ? static_cast<std::uint8_t>(bit) : std::uint8_t{0};
}

}  // namespace

struct Batch::Head {
  UnixSeconds first_seen;
  UnixSeconds last_seen;
  std::int64_t sightings;
  std::int64_t source;
  std::uint64_t file_object;
  std::uint32_t label_bytes;
  std::uint16_t value_bytes;
  indicator::Type type;
  std::uint8_t confidence;
  std::uint8_t tlp;
  std::uint8_t pap;
  std::uint8_t present;
};

Batch::Batch() {
  records_.reserve(kBatchBytes);  // address space only: pages are taken as they are written
  entries_.reserve(kBatchRecords);
}

void Batch::add(const Record& record) {
  const ContextRow& row = record.row;
  const Head head{
      .first_seen = row.first_seen.value_or(0),
      .last_seen = row.last_seen.value_or(0),
      .sightings = row.sightings,
      .source = record.source,
      .file_object = record.file_object,
      .label_bytes = static_cast<std::uint32_t>(row.labels.size()),
      .value_bytes = static_cast<std::uint16_t>(record.value.size()),
      .type = record.type,
      .confidence = row.confidence.value_or(0),
      .tlp = row.tlp.value_or(0),
      .pap = row.pap.value_or(0),
      .present = static_cast<std::uint8_t>(
          mark_present(row.first_seen, kFirstSeen) | mark_present(row.last_seen, kLastSeen) |
          mark_present(row.confidence, kConfidence) | mark_present(row.tlp, kTlp) | mark_present(row.pap, kPap)),
  };
  entries_.push_back({key_of(record.type, record.value), records_.size()});
  append(records_, std::as_bytes(std::span(&head, 1)));
  append(records_, as_bytes(record.value));
  append(records_, row.labels);
}

bool Batch::full() const {
  return records_.size() >= kBatchBytes || entries_.size() >= kBatchRecords;
}

Batch::Head Batch::head_at(std::size_t offset) const {
  Head head;
  std::memcpy(&head, records_.data() + offset, sizeof head);
  return head;
}

std::string_view Batch::value_at(std::size_t offset) const {
  return as_text(ByteView(records_).subspan(offset + sizeof(Head), head_at(offset).value_bytes));
}

std::int64_t Batch::source(std::size_t index) const {
  return head_at(entries_[index].offset).source;
}

std::uint64_t Batch::file_object(std::size_t index) const {
  return head_at(entries_[index].offset).file_object;
}

bool Batch::ties(std::size_t index) const {
  const Head head = head_at(entries_[index].offset);
  return head.file_object != 0 && indicator::is_hash(head.type);
}

bool Batch::same_indicator(std::size_t a, std::size_t b) const {
  return entries_[a].key == entries_[b].key && value_at(entries_[a].offset) == value_at(entries_[b].offset);
}

void Batch::sort() {
  std::ranges::sort(entries_, [this](const Entry& a, const Entry& b) {
    if (a.key != b.key) return a.key < b.key;
    const int order = value_at(a.offset).compare(value_at(b.offset));
    return order != 0 ? order < 0 : a.offset < b.offset;
  });
}

Batch::Record Batch::at(std::size_t index) const {
  const std::size_t offset = entries_[index].offset;
  const Head head = head_at(offset);
  const ByteView tail = ByteView(records_).subspan(offset + sizeof head);
  Record record{head.type, as_text(tail.first(head.value_bytes)), head.source, head.file_object, {}};
  if ((head.present & kFirstSeen) != 0) record.row.first_seen = head.first_seen;
  if ((head.present & kLastSeen) != 0) record.row.last_seen = head.last_seen;
  record.row.sightings = head.sightings;
  if ((head.present & kConfidence) != 0) record.row.confidence = head.confidence;
  if ((head.present & kTlp) != 0) record.row.tlp = head.tlp;
  if ((head.present & kPap) != 0) record.row.pap = head.pap;
  record.row.labels = to_bytes(tail.subspan(head.value_bytes, head.label_bytes));
  return record;
}

void Batch::clear() {
  records_.clear();
  entries_.clear();
}

}  // namespace parley::vault::detail
