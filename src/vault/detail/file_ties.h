// Hashes of one file: sets of items that grow together, within an import and across imports.
// items.file names the set, file_items lists its items, files holds its size, so that the smaller set joins the larger.
#pragma once

#include <optional>
#include <vector>

#include "vault/detail/batch.h"
#include "vault/detail/sqlite.h"

namespace parley::vault::detail {

/// Follows an import batch by batch. Within a batch the sets are found in memory, so that new items are written with
/// their set at once; only what meets items of the vault, or of an earlier batch, is joined row by row.
class FileTies {
 public:
  static Result<FileTies> make(Connection& connection);

  /// `batch` is sorted. Its indicators are called by their number: 0 for the first distinct one, and so on.
  void begin_batch(const Batch& batch);
  /// What to write as items.file if indicator `number` is new.
  std::int64_t file_if_new(std::size_t number);
  void added(std::size_t number, std::int64_t item);
  void known(std::size_t number, std::int64_t item, std::int64_t file);
  /// @param more  whether other batches follow or went before, so that a file's hashes can lie in several
  Status end_batch(bool more);
  /// After the last batch: joins what lay in several.
  Status finish();

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// A set of this batch's indicators, kept at its root.
  struct Set {
    std::uint32_t parent = kNone;  ///< itself at a root; kNone: an indicator without ties
    std::uint32_t size = 1;
    std::int64_t file = 0;  ///< for its new items; 0 until one asks
    std::int64_t new_items = 0;
    std::int64_t first_new = 0;
    std::int64_t first_known = 0;
    std::int64_t first_known_file = 0;
  };
  /// A source's file object, and one of its hashes.
  struct Object {
    std::int64_t source;
    std::uint64_t object;
    std::uint32_t number;
    auto operator<=>(const Object&) const = default;
  };
  struct Placed {
    std::int64_t file;
    std::int64_t item;
    auto operator<=>(const Placed&) const = default;
  };
  struct Known {
    std::uint32_t root;
    std::int64_t item;
    std::int64_t file;
  };

  FileTies(Connection& connection, std::vector<Statement> statements, std::int64_t last_file);
  std::uint32_t root_of(std::uint32_t number);
  void unite(std::uint32_t a, std::uint32_t b);
  Status write_new_files();
  Status join_known();
  Status note_objects();
  Status tie(std::int64_t a, std::int64_t b);
  Status merge(std::int64_t a, std::int64_t b);
  Status place(std::int64_t item, std::int64_t file);
  Result<std::int64_t> number_in(Statement& statement, std::int64_t parameter);

  Connection* connection_;
  Statement note_, file_of_, size_of_, set_file_, list_, grow_, add_, move_items_, copy_list_, clear_list_, remove_;
  std::int64_t last_file_;
  std::vector<Set> sets_;  ///< by number; empty when the batch has no ties
  std::vector<Object> objects_;
  std::vector<Placed> placed_;
  std::vector<Known> known_;
};

}  // namespace parley::vault::detail
