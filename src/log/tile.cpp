#include "log/tile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <map>

namespace parley::log {
namespace {

// Tiles of level 6 hash 2^56 leaves and more each; larger levels are not in a tree of kMaxTreeSize leaves.
constexpr std::uint8_t kMaxTileLevel = 6;
constexpr std::size_t kMaxPathBytes = 64;
constexpr std::string_view kTilePrefix = "tile/";
constexpr std::string_view kEntriesPrefix = "entries/";

unsigned leaf_level(std::uint8_t tile_level) {
  return kTileHeight * tile_level;
}

/// The hashes of this tile level that a tree of `size` leaves has.
std::uint64_t hashes_of_level(std::uint64_t size, std::uint8_t level) {
  return size >> leaf_level(level);
}

/// "x001/x234/067" for 1234067: groups of three digits, all but the last with an x.
std::string index_path(std::uint64_t index) {
  std::string path = fmt::format("{:03}", index % 1000);
  for (index /= 1000; index > 0; index /= 1000) path = fmt::format("x{:03}/{}", index % 1000, path);
  return path;
}

std::string path_below(std::string_view prefix, const Tile& tile) {
  std::string path = fmt::format("{}{}", prefix, index_path(tile.index));
  if (tile.width < kTileWidth) path += fmt::format(".p/{}", tile.width);
  return path;
}

/// Takes a decimal number off the front of `text`; nothing if there is none that fits. How it was written is seen when
/// the path is written again.
std::optional<std::uint64_t> take_number(std::string_view& text, std::size_t max_digits) {
  std::uint64_t number = 0;
  std::size_t digits = 0;
  while (digits < text.size() && digits < max_digits && text[digits] >= '0' && text[digits] <= '9')
    number = number * 10 + static_cast<std::uint64_t>(text[digits++] - '0');
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<Tile> take_tile(std::string_view& text, std::uint8_t level) {
  Tile tile{level, 0, kTileWidth};
  for (bool last = false; !last;) {
    last = !take(text, "x");
    const auto group = take_number(text, 3);
    if (!group || tile.index > kMaxTreeSize) return std::nullopt;
    tile.index = tile.index * 1000 + *group;
    if (!last && !take(text, "/")) return std::nullopt;
  }
  if (take(text, ".p/")) {
    const auto width = take_number(text, 3);
    if (!width || *width == 0 || *width >= kTileWidth) return std::nullopt;
    tile.width = static_cast<std::uint16_t>(*width);
  }
  return tile;
}

std::optional<LogFile> read_path(std::string_view path) {
  LogFile file;
  if (path == "checkpoint") return file;
  if (path.size() > kMaxPathBytes || !take(path, kTilePrefix)) return std::nullopt;
  std::uint64_t level = 0;
  if (take(path, kEntriesPrefix)) {
    file.kind = LogFile::Kind::entries;
  } else {
    file.kind = LogFile::Kind::tile;
    const auto number = take_number(path, 1);
    if (!number || *number > kMaxTileLevel || !take(path, "/")) return std::nullopt;
    level = *number;
  }
  const auto tile = take_tile(path, static_cast<std::uint8_t>(level));
  if (!tile || !path.empty()) return std::nullopt;
  // The index is bounded first: 2^56 * 256 would be 0.
  if (tile->index > kMaxTreeSize / kTileWidth) return std::nullopt;
  if (tile->index * kTileWidth + tile->width > hashes_of_level(kMaxTreeSize, tile->level)) return std::nullopt;
  file.tile = *tile;
  return file;
}

/// The tiles that are new or wider at one level.
void add_tiles(std::vector<Tile>& tiles, std::uint8_t level, std::uint64_t old_count, std::uint64_t new_count) {
  for (std::uint64_t index = old_count / kTileWidth; index * kTileWidth < new_count; ++index) {
    const std::uint64_t width = std::min(kTileWidth, new_count - index * kTileWidth);
    if (index * kTileWidth + width > old_count) tiles.push_back({level, index, static_cast<std::uint16_t>(width)});
  }
}

}  // namespace

std::string tile_path(const Tile& tile) {
  return path_below(fmt::format("{}{}/", kTilePrefix, tile.level), tile);
}

std::string entries_path(const Tile& tile) {
  assert(tile.level == 0);
  return path_below(fmt::format("{}{}", kTilePrefix, kEntriesPrefix), tile);
}

std::string path_of(const LogFile& file) {
  switch (file.kind) {
    case LogFile::Kind::checkpoint:
      break;
    case LogFile::Kind::tile:
      return tile_path(file.tile);
    case LogFile::Kind::entries:
      return entries_path(file.tile);
  }
  return "checkpoint";
}

Result<LogFile> parse_log_path(std::string_view path) {
  const auto file = read_path(path);
  if (!file || path_of(*file) != path) return fail(Errc::not_found, "A log has no file of this name.");
  return *file;
}

TileSlot slot_of(const TreeNode& node, std::uint64_t size) {
  assert(node.level % kTileHeight == 0);
  const auto level = static_cast<std::uint8_t>(node.level / kTileHeight);
  const std::uint64_t count = hashes_of_level(size, level);
  assert(node.index < count);
  const std::uint64_t index = node.index / kTileWidth;
  const auto width = static_cast<std::uint16_t>(std::min(kTileWidth, count - index * kTileWidth));
  return {{level, index, width}, static_cast<std::uint16_t>(node.index % kTileWidth)};
}

bool has_tile(std::uint64_t size, const Tile& tile) {
  if (tile.level > kMaxTileLevel || tile.width == 0 || tile.width > kTileWidth) return false;
  const std::uint64_t count = hashes_of_level(size, tile.level);
  if (tile.index > count / kTileWidth) return false;
  const std::uint64_t there = count - tile.index * kTileWidth;
  return tile.width == std::min(kTileWidth, there);
}

std::vector<Tile> tiles_between(std::uint64_t old_size, std::uint64_t new_size) {
  assert(old_size <= new_size && new_size <= kMaxTreeSize);
  std::vector<Tile> tiles;
  for (std::uint8_t level = 0; level <= kMaxTileLevel; ++level)
    add_tiles(tiles, level, hashes_of_level(old_size, level), hashes_of_level(new_size, level));
  return tiles;
}

Result<Bytes> tile_content(const Tile& tile, HashReader& hashes) {
  std::vector<TreeNode> nodes;
  for (std::uint64_t i = 0; i < tile.width; ++i)
    nodes.push_back({static_cast<std::uint8_t>(leaf_level(tile.level)), tile.index * kTileWidth + i});
  TRY(const std::vector<Digest> read, hashes.read(nodes));
  if (read.size() != nodes.size())
    return fail(Errc::internal, "A storage of hashes gave another number than asked for.");
  Bytes content;
  content.reserve(read.size() * sizeof(Digest));
  for (const Digest& hash : read) append(content, hash);
  return content;
}

Result<std::vector<Digest>> parse_tile(const Tile& tile, ByteView content) {
  if (content.size() != tile.width * sizeof(Digest)) {
    return fail(Errc::format, fmt::format("The tile {} has {} bytes instead of {}.", tile_path(tile), content.size(),
                                          tile.width * sizeof(Digest)));
  }
  std::vector<Digest> hashes(tile.width);
  for (std::size_t i = 0; i < hashes.size(); ++i)
    std::memcpy(hashes[i].data(), &content[i * sizeof(Digest)], sizeof(Digest));
  return hashes;
}

Bytes make_bundle(std::span<const std::string_view> entries) {
  assert(entries.size() <= kTileWidth);
  Bytes bundle;
  for (const std::string_view entry : entries) {
    assert(entry.size() <= kMaxBundleEntryBytes);
    append_be(bundle, static_cast<std::uint16_t>(entry.size()));
    append(bundle, as_bytes(entry));
  }
  return bundle;
}

Result<std::vector<std::string_view>> parse_bundle(ByteView bundle, std::size_t width) {
  std::vector<std::string_view> entries;
  while (!bundle.empty() && entries.size() < width) {
    if (bundle.size() < sizeof(std::uint16_t)) break;
    const std::size_t length = read_be<std::uint16_t>(bundle);
    if (bundle.size() - sizeof(std::uint16_t) < length) break;
    entries.push_back(as_text(bundle.subspan(sizeof(std::uint16_t), length)));
    bundle = bundle.subspan(sizeof(std::uint16_t) + length);
  }
  if (!bundle.empty() || entries.size() != width)
    return fail(Errc::format, fmt::format("Not a bundle of {} entries.", width));
  return entries;
}

Result<std::vector<Digest>> TileHashReader::read(std::span<const TreeNode> nodes) {
  std::map<Tile, std::vector<Digest>> tiles;
  const auto hash_of = [&](const TreeNode& node) -> Result<Digest> {
    const TileSlot slot = slot_of(node, size_);
    auto found = tiles.find(slot.tile);
    if (found == tiles.end()) {
      TRY(const Bytes content, tiles_.read_tile(slot.tile));
      TRY(std::vector<Digest> hashes, parse_tile(slot.tile, content));
      found = tiles.emplace(slot.tile, std::move(hashes)).first;
    }
    return found->second[slot.position];
  };
  std::vector<Digest> hashes;
  for (const TreeNode& node : nodes) {
    if (node.level >= 64 || node.index >= size_ >> node.level)
      return fail(Errc::not_found, "The tree does not have this node.");
    // Levels between those of tiles are hashed from the level of tiles below them.
    const unsigned above = node.level % kTileHeight;
    const auto tile_level = static_cast<std::uint8_t>(node.level - above);
    std::vector<Digest> row;
    for (std::uint64_t i = 0; i < std::uint64_t{1} << above; ++i) {
      TRY(const Digest hash, hash_of({tile_level, (node.index << above) + i}));
      row.push_back(hash);
    }
    for (; row.size() > 1; row.resize(row.size() / 2))
      for (std::size_t i = 0; i < row.size() / 2; ++i) row[i] = node_hash(row[2 * i], row[2 * i + 1]);
    hashes.push_back(row[0]);
  }
  return hashes;
}

}  // namespace parley::log
