#include "base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace parley {

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable work_ready;
  std::condition_variable work_done;
  const std::function<void(std::size_t, std::size_t)>* body = nullptr;
  std::size_t count = 0;
  std::size_t chunk = 1;
  std::atomic<std::size_t> next{0};
  std::size_t generation = 0;
  std::size_t busy = 0;
  bool stopping = false;
  std::vector<std::thread> workers;

  void take_chunks() {
    for (;;) {
      const std::size_t begin = next.fetch_add(chunk);
      if (begin >= count) return;
      (*body)(begin, std::min(begin + chunk, count));
    }
  }

  void serve() {
    std::size_t seen = 0;
    std::unique_lock lock(mutex);
    for (;;) {
      work_ready.wait(lock, [&] { return stopping || generation != seen; });
      if (stopping) return;
      seen = generation;
      lock.unlock();
      take_chunks();
      lock.lock();
      if (--busy == 0) work_done.notify_one();
    }
  }
};

ThreadPool::ThreadPool(std::size_t threads) : state_(std::make_unique<State>()) {
  for (std::size_t i = 1; i < std::clamp<std::size_t>(threads, 1, 256); ++i) {
    state_->workers.emplace_back([state = state_.get()] { state->serve(); });
  }
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->work_ready.notify_all();
  for (std::thread& worker : state_->workers) worker.join();
}

std::size_t ThreadPool::size() const { return state_->workers.size() + 1; }

void ThreadPool::parallel_for(std::size_t count, std::size_t chunk,
                              const std::function<void(std::size_t, std::size_t)>& body) {
  if (count == 0) return;
  {
    std::lock_guard lock(state_->mutex);
    state_->body = &body;
    state_->count = count;
    state_->chunk = std::max<std::size_t>(chunk, 1);
    state_->next.store(0);
    state_->busy = state_->workers.size();
    ++state_->generation;
  }
  state_->work_ready.notify_all();
  state_->take_chunks();
  std::unique_lock lock(state_->mutex);
  state_->work_done.wait(lock, [&] { return state_->busy == 0; });
}

std::size_t hardware_threads() { return std::max(1u, std::thread::hardware_concurrency()); }

}  // namespace parley
