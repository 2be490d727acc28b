// What the fuzz targets of the readers hand their records to.
#pragma once

#include "formats/intake.h"
#include "formats/source.h"

namespace parley::formats {

/// Checks what every reader promises of its records, and keeps nothing.
struct DiscardingSink final : Sink {
  Status record(Record record) override {
    const auto& value = record.indicator.value();
    if (value.empty() || value.size() > indicator::kMaxValueBytes) __builtin_trap();
    // Canonical values are fixed points of the canonicaliser.
    const auto again = indicator::canonicalise(record.indicator.type(), value);
    if (!again || *again != record.indicator) __builtin_trap();
    return {};
  }
  void notice(Notice) override {}
};

}  // namespace parley::formats
