// Tiles and entry bundles of a log as static files (c2sp.org/tlog-tiles; log.md 2.5): their names, what a tree needs of
// them, their content, and proofs out of them.
#pragma once

#include "log/merkle.h"

namespace parley::log {

inline constexpr unsigned kTileHeight = 8;
inline constexpr std::uint64_t kTileWidth = 256;  ///< hashes of a full tile, entries of a full bundle
inline constexpr std::size_t kMaxBundleEntryBytes = 0xffff;

/// `width` consecutive hashes of the tree's level 8 * level, from 256 * index on.
struct Tile {
  std::uint8_t level = 0;
  std::uint64_t index = 0;
  std::uint16_t width = kTileWidth;  ///< 1 to 256; less than 256 is a partial tile
  auto operator<=>(const Tile&) const = default;
};

/// What a path of the public surface names. A bundle is named by the tile of level 0 that hashes its entries.
struct LogFile {
  enum class Kind : std::uint8_t { checkpoint, tile, entries };
  Kind kind = Kind::checkpoint;
  Tile tile;
  bool operator==(const LogFile&) const = default;
};

/// "tile/0/x001/x234/067.p/112", "tile/entries/000", "checkpoint".
std::string path_of(const LogFile& file);
std::string tile_path(const Tile& tile);
std::string entries_path(const Tile& tile);
/// Takes what path_of() gives and nothing else, for trees of at most kMaxTreeSize. @error Errc::not_found
Result<LogFile> parse_log_path(std::string_view path);

/// The tile that holds the hash of `node`, as wide as it is in a tree of `size` leaves, and where in it. Precondition:
/// the level divides by 8 and the tree has the node.
struct TileSlot {
  Tile tile;
  std::uint16_t position = 0;
};
TileSlot slot_of(const TreeNode& node, std::uint64_t size);

/// Whether a tree of `size` leaves has this tile at this width, as its own partial tile or as a full one.
bool has_tile(std::uint64_t size, const Tile& tile);

/// The tiles to write when a tree grows from `old_size` to `new_size` leaves: those that are new or wider, ascending by
/// level and index. From 0 on: all the tree has. Bundles of entries are those of level 0. One tile for each 256 leaves
/// that are new; the caller bounds that.
std::vector<Tile> tiles_between(std::uint64_t old_size, std::uint64_t new_size);

/// The bytes of a tile. @error what `hashes` says
Result<Bytes> tile_content(const Tile& tile, HashReader& hashes);
/// @error Errc::format if `content` is not the size of this tile
Result<std::vector<Digest>> parse_tile(const Tile& tile, ByteView content);

/// u16be length and bytes of each entry. Precondition: at most 256 entries of at most 65,535 bytes.
Bytes make_bundle(std::span<const std::string_view> entries);
/// The entries of a bundle, views into it. @error Errc::format if there are not `width` of them, or something follows
Result<std::vector<std::string_view>> parse_bundle(ByteView bundle, std::size_t width);

/// Where tiles are kept: files, a peer, a database.
class TileReader {
 public:
  virtual ~TileReader() = default;
  /// @error Errc::not_found, or the storage's own
  virtual Result<Bytes> read_tile(const Tile& tile) = 0;
};

/// The hashes of the tree of `size` leaves out of its tiles; each tile is read once for one call.
class TileHashReader : public HashReader {
 public:
  /// @param tiles  outlives this reader
  TileHashReader(TileReader& tiles, std::uint64_t size) : tiles_(tiles), size_(size) {}
  /// @error Errc::not_found for a node that the tree does not have; Errc::format; what `tiles` says
  Result<std::vector<Digest>> read(std::span<const TreeNode> nodes) override;

 private:
  TileReader& tiles_;
  std::uint64_t size_;
};

}  // namespace parley::log
