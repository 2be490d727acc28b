// The file: two slots of 72 bytes, each u64be size || root || BLAKE2b-256 of both, at offsets 0 and 2,048, so that no
// write of one sector touches both. They are written in turn; the larger whole one holds.
#include "vault/head_guard.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "base/file.h"
#include "crypto/hash.h"

namespace parley::vault {
namespace {

constexpr std::size_t kFileBytes = 4096;
constexpr std::size_t kSlotDistance = 2048;
constexpr std::size_t kHeadBytes = sizeof(std::uint64_t) + sizeof(Digest);
constexpr std::size_t kSlotBytes = kHeadBytes + sizeof(Digest);
constexpr unsigned kMode = 0600;

Bytes slot_of(const SignedHead& head) {
  Bytes slot;
  append_be(slot, head.size);
  append(slot, head.root);
  append(slot, crypto::blake2b<sizeof(Digest)>(slot));
  return slot;
}

/// Nothing where the slot was never written or is torn.
std::optional<SignedHead> read_slot(ByteView slot) {
  const ByteView head = slot.first(kHeadBytes);
  if (!std::ranges::equal(crypto::blake2b<sizeof(Digest)>(head), slot.subspan(kHeadBytes, sizeof(Digest))))
    return std::nullopt;
  SignedHead read{read_be<std::uint64_t>(head), {}};
  std::ranges::copy(head.subspan(sizeof(std::uint64_t)), read.root.begin());
  return read;
}

std::unexpected<Error> io_error(std::string_view what, const std::filesystem::path& path) {
  return fail(Errc::io, fmt::format("{}: {}. Nothing was signed.", what, system_error_text(errno)), path.string());
}

Status write_durably(const std::filesystem::path& path, std::size_t offset, ByteView bytes) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) return io_error("The record of what was signed cannot be opened", path);
  const ssize_t written = ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (written != static_cast<ssize_t>(bytes.size()))
    return io_error("The record of what was signed cannot be written", path);
  // The file keeps its length and its blocks: only what they hold has to be durable.
  if (::fdatasync(file.get()) != 0) return io_error("The record of what was signed cannot be made durable", path);
  return {};
}

}  // namespace

Result<HeadGuard> HeadGuard::open(std::filesystem::path path) {
  auto content = read_file(path, kFileBytes);
  if (!content && content.error().code == Errc::not_found) return HeadGuard(std::move(path), {}, 0);
  if (!content) return std::unexpected(std::move(content).error());
  std::array<std::optional<SignedHead>, 2> slots;
  if (content->size() == kFileBytes) {
    for (std::size_t i = 0; i < slots.size(); ++i)
      slots[i] = read_slot(ByteView(*content).subspan(i * kSlotDistance, kSlotBytes));
  }
  if (!slots[0] && !slots[1])
    return fail(Errc::vault_damaged,
                "The record of what this member signed last is damaged. Do not remove it: without it a restored vault "
                "could sign a second history. Ask the other members for your newest checkpoint.",
                path.string());
  const std::size_t newer = !slots[0] || (slots[1] && slots[1]->size > slots[0]->size) ? 1 : 0;
  return HeadGuard(std::move(path), *slots[newer], 1 - newer);
}

Status HeadGuard::advance(const SignedHead& next) {
  if (next == head_) return {};
  if (next.size <= head_.size)
    return fail(Errc::exists,
                fmt::format("This member has signed its log at {} entries; signing {} entries {} would be a second "
                            "history.",
                            head_.size, next.size, next.size == head_.size ? "with another root" : "now"),
                path_.string());
  const Bytes slot = slot_of(next);
  std::error_code ignored;
  if (std::filesystem::exists(path_, ignored)) {
    TRY_STATUS(write_durably(path_, next_slot_ * kSlotDistance, slot));
  } else {
    Bytes whole(kFileBytes);
    std::ranges::copy(slot, whole.begin() + static_cast<std::ptrdiff_t>(next_slot_ * kSlotDistance));
    TRY_STATUS(write_file_atomically(path_, whole, kMode));
  }
  head_ = next;
  next_slot_ = 1 - next_slot_;
  return {};
}

}  // namespace parley::vault
