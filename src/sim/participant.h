// Whoever is at the end of a link: an honest member's process, or somebody who only pretends to be one.
#pragma once

#include "sim/disk.h"
#include "sim/fault.h"
#include "sim/member.h"

namespace parley::sim {

class World;
class Node;

enum class FrameType : std::uint8_t {
  log,         ///< a message between replicas
  step,        ///< names an entry as the next step of a session
  disclosure,  ///< stands for the bytes of the intersection that can disclose
  opening,     ///< stands for one field of a match that is opened
};

struct Frame {
  FrameType type = FrameType::log;
  mirror::Message message;  ///< of FrameType::log
  Digest step{};            ///< of FrameType::step
  std::string session;      ///< of FrameType::disclosure and opening
};

class Participant {
 public:
  virtual ~Participant() = default;
  virtual bool runs() const = 0;
  virtual void link_up(std::size_t peer) = 0;
  virtual void link_down(std::size_t peer) = 0;
  virtual void receive(std::size_t peer, const Frame& frame) = 0;
  /// Asks `peer` for a session.
  virtual void ask(std::size_t peer) = 0;
  /// Every now and then.
  virtual void tick() = 0;
  /// A link to `peer` is in use.
  virtual bool needs(std::size_t peer) const = 0;
};

}  // namespace parley::sim
