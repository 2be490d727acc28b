// What every reader of a foreign format hands on: one record for each indicator it met.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "indicator/context.h"
#include "indicator/indicator.h"

namespace parley::formats {

struct Record {
  indicator::Canonical indicator;
  indicator::Context context;
  /// Hashes with the same non-zero number in one import are hashes of one file and stay tied.
  std::uint64_t file_object = 0;
};

/// Something in the file that was not taken, or was taken otherwise than it was declared.
struct Notice {
  enum class Kind : std::uint8_t { skipped, corrected };
  Kind kind = Kind::skipped;
  std::string where;  ///< line or JSON path
  std::string why;    ///< a sentence: what stands there, what was expected
};

/// Takes records and notices as a reader meets them, so that no reader holds a whole file's records in memory.
class Sink {
 public:
  virtual ~Sink() = default;
  /// @error whatever the sink fails with; the reader stops and returns it.
  virtual Status record(Record record) = 0;
  virtual void notice(Notice notice) = 0;
};

}  // namespace parley::formats
